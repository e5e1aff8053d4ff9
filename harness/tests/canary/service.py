"""A shop that calls its ledger and exports spans as OTLP JSON from a thread, and dies on SIGTERM without a flush.

EXPORTS says which spans leave it: `all` sampled ones in order, those of unsampled requests `too`, all but the SERVER
span of the `second` request, all but those of the `whole` second request, or `none`. REQUESTS is a file that gets a line for each request.
"""

import json
import os
import queue
import secrets
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXPORTS = os.environ.get("EXPORTS", "none")
ended = queue.Queue()
lock = threading.Lock()
seen = 0


def span(trace, span_id, parent, kind, begun, attributes):
    return {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": "POST",
        "kind": kind,
        "startTimeUnixNano": str(begun),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def export():
    """Sends the spans that ended, every 100 ms, in the order in which they ended."""
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "service.instance.id", "value": {"stringValue": secrets.token_hex(8)}},
    ]}
    while True:
        spans = ended.get()
        time.sleep(0.1)
        while not ended.empty():
            spans = spans + ended.get()
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
        request = urllib.request.Request(
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
            body.encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request).read()


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global seen
        with lock:
            seen += 1
            number = seen
            with open(os.environ["REQUESTS"], "a") as requests:
                requests.write(f"{number}\n")
        self.rfile.read(int(self.headers.get("content-length", 0)))
        begun = time.time_ns()
        _, trace, parent, flags = (self.headers.get("traceparent") or f"00-{'1' * 32}-{'2' * 16}-00").split("-")[:4]
        server, client = secrets.token_hex(8), secrets.token_hex(8)
        spans = []
        if "CALLS" in os.environ:
            call = urllib.request.Request(
                os.environ["CALLS"], b"", {"traceparent": f"00-{trace}-{client}-{flags}"}, method="POST")
            urllib.request.urlopen(call).read()
            spans.append(span(trace, client, server, 3, begun, {"http.request.method": "POST"}))
        spans.append(span(trace, server, parent, 2, begun, {"http.request.method": "POST"}))
        if EXPORTS == "second" and number == 2:
            spans.pop()
        sampled = flags == "01"
        exported = {"all": sampled, "too": True, "second": sampled, "whole": sampled and number != 2}
        if exported.get(EXPORTS, False):
            ended.put(spans)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


threading.Thread(target=export, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
