"""An ordinary HTTP service that was started long before the test: it calls CALLS if that is set, and exports spans as
OTLP/JSON to OTLP, a few moments after each request.

Its port is printed on the first line. LOSE=yes: the call carries no context. TRAFFIC=yes: with each request it also
exports spans of other users' requests. NAME is its `service.name`."""

import http.server
import json
import os
import secrets
import time
import urllib.request

NAME = os.environ["NAME"]
OTLP = os.environ.get("OTLP")
CALLS = os.environ.get("CALLS")


def span(trace, parent, kind, name):
    return {
        "traceId": trace,
        "spanId": secrets.token_hex(8),
        "parentSpanId": parent,
        "kind": kind,
        "name": name,
        "startTimeUnixNano": str(time.time_ns()),
        "attributes": [],
        "flags": 1,
    }


def with_attributes(made, **values):
    for key, value in values.items():
        made["attributes"].append({"key": key.replace("_", "."), "value": {"stringValue": value}})
    return made


def end(made):
    made["endTimeUnixNano"] = str(time.time_ns())


def export(spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": NAME}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    request = urllib.request.Request(
        OTLP + "/v1/traces", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except OSError:
        pass  # nobody receives telemetry between two runs


def others():
    """Spans of requests of other users: with a parent that is exported elsewhere, and broken in several ways."""
    trace = secrets.token_hex(16)
    orphan = span(trace, secrets.token_hex(8), 1, "work of another user")
    again = dict(orphan, name="the same id again")
    unnamed = span(secrets.token_hex(16), secrets.token_hex(8), 2, "POST /orders")
    for made in (orphan, again, unnamed):
        end(made)
    unnamed["endTimeUnixNano"] = "1"
    return [orphan, again, unnamed]


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        parts = (self.headers.get("traceparent") or "").split("-")
        sampled = len(parts) == 4 and parts[3] == "01"
        trace, parent = (parts[1], parts[2]) if len(parts) == 4 else (secrets.token_hex(16), "")
        sampled = sampled or len(parts) != 4
        server = with_attributes(
            span(trace, parent, 2, "POST " + self.path), http_request_method="POST", url_path=self.path
        )
        spans = [server]
        if CALLS:
            client = with_attributes(
                span(trace, server["spanId"], 3, "POST"), http_request_method="POST", url_full=CALLS
            )
            headers = {"traceparent": f"00-{trace}-{client['spanId']}-{'01' if sampled else '00'}"}
            if os.environ.get("LOSE"):
                headers = {}
            request = urllib.request.Request(CALLS, b"{}", headers)
            urllib.request.urlopen(request, timeout=10).close()
            end(client)
            spans.append(client)
        end(server)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        self.wfile.flush()
        if not sampled:
            spans = []
        if os.environ.get("TRAFFIC"):
            spans += others()
        if OTLP and spans:
            export(spans)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Service)
print(server.server_port, flush=True)
server.serve_forever()
