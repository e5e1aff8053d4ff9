"""An HTTP service that forwards `traceparent` with a body of BODY_MIB, written in pieces."""

import http.client
import http.server
import os
import sys

PIECE = b"x" * (1 << 20)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        pieces = int(os.environ["BODY_MIB"])
        connection = http.client.HTTPConnection(os.environ["CALLS"].removeprefix("http://"))
        connection.putrequest("POST", "/kept")
        connection.putheader("traceparent", self.headers["traceparent"])
        connection.putheader("content-length", str(pieces * len(PIECE)))
        connection.endheaders()
        for _ in range(pieces):
            connection.send(PIECE)
        connection.getresponse().read()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
