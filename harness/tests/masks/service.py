"""An HTTP service that prints what it should not: its key, and the baggage and the tenant of each request.

It forwards the fields of each request, unless KEEP_BAGGAGE is `no`, and then it answers with an error, too.
"""

import http.client
import http.server
import os
import secrets
import signal
import sys
import urllib.parse

FORWARDED = ["traceparent", "baggage", "x-tenant", "authorization"]
KEY = os.environ["KEY"]
KEEP_BAGGAGE = os.environ.get("KEEP_BAGGAGE") != "no"


def call(url, headers):
    host = url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/kept?key=" + urllib.parse.quote(KEY, safe=""), headers=headers)
    connection.getresponse().read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        baggage, tenant = self.headers.get("baggage", ""), self.headers.get("x-tenant", "")
        print(f"key={KEY} encoded={urllib.parse.quote(KEY, safe='')}", flush=True)
        print(f"baggage: {baggage}; decoded: {urllib.parse.unquote(baggage)}; tenant: {tenant}", flush=True)
        names = [name for name in FORWARDED if KEEP_BAGGAGE or name != "baggage"]
        fields = {name: self.headers[name] for name in names if name in self.headers}
        version, trace_id, _, flags = fields["traceparent"].split("-")
        fields["traceparent"] = f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
        call(os.environ["CALLS"], fields)
        self.send_response(200 if KEEP_BAGGAGE else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
