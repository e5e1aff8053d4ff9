"""A service with spans of its own: it exports each second, and loses what it has when it is stopped."""

import http.server
import json
import os
import secrets
import sys
import threading
import time
import urllib.request

ENDPOINT = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
ENDED = []


def span(trace, identity, parent, kind, started):
    return {
        "traceId": trace, "spanId": identity, "parentSpanId": parent, "kind": kind, "name": "POST", "flags": 1,
        "startTimeUnixNano": str(started), "endTimeUnixNano": str(time.time_ns()),
    }


def export():
    while True:
        time.sleep(1)
        spans, ENDED[:] = list(ENDED), []
        if spans:
            body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
            headers = {"content-type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(ENDPOINT, body, headers)).read()


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        started, entry = time.time_ns(), secrets.token_hex(8)
        _, trace, parent, _ = self.headers["traceparent"].split("-")
        for step in json.loads(self.rfile.read(int(self.headers["content-length"]))):
            began, call = time.time_ns(), secrets.token_hex(8)
            headers = {"content-type": "application/json", "traceparent": f"00-{trace}-{call}-01"}
            body = json.dumps(step["arguments"]).encode()
            urllib.request.urlopen(urllib.request.Request(step["url"], body, headers)).read()
            ENDED.append(span(trace, call, entry, 3, began))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        ENDED.append(span(trace, entry, parent, 2, started))

    def log_message(self, *_):
        pass


threading.Thread(target=export, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
