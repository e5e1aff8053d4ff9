"""A service that attacks what it calls, and then answers: ATTACK is the protocol, TARGET the address.

With CALLS it also makes one call as it should.
"""

import http.client
import http.server
import os
import secrets
import signal
import sys

import attacks


def call(url, traceparent):
    version, trace_id, _, flags = traceparent.split("-")
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"traceparent": f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"}
    connection.request("POST", "/kept", headers=headers)
    connection.getresponse().read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        target = os.environ["TARGET"].removeprefix("http://").removeprefix("amqp://")
        attacks.attack(os.environ["ATTACK"], target.partition("@")[2].partition("/")[0] or target)
        if "CALLS" in os.environ:
            call(os.environ["CALLS"], self.headers["traceparent"])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
