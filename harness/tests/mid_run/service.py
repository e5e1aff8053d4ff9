"""An HTTP service without instrumentation, for stories in which a node dies or calls back.

It is configured by its environment and forwards `traceparent` as it came, unless KEEP_CONTEXT is `no`.
"""

import http.client
import http.server
import os
import signal
import sys
import threading
import time


def call(url, headers):
    host = url.removeprefix("http://").split("/")[0]
    path = "/" + url.removeprefix("http://").partition("/")[2]
    connection = http.client.HTTPConnection(host)
    connection.request("POST", path, headers=headers)
    connection.getresponse().read()


def later(url, headers):
    time.sleep(float(os.environ.get("CALL_AFTER", "0")))
    call(url, headers)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_POST(self):
        Handler.served += 1
        if Handler.served > int(os.environ.get("DIE_AFTER", "1000")):
            print("out of memory, giving up", flush=True)
            os._exit(7)
        if Handler.served > int(os.environ.get("HANG_AFTER", "1000")):
            print("waiting for a lock", flush=True)
            threading.Event().wait()
        context = self.headers.get("traceparent")
        keep = context and os.environ.get("KEEP_CONTEXT") != "no"
        headers = {"traceparent": context} if keep else {}
        target = os.environ.get("CALLS")
        if target and self.path == os.environ.get("CALLS_ON", self.path):
            if "CALL_AFTER" in os.environ:
                threading.Thread(target=later, args=(target, headers)).start()
            else:
                call(target, headers)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


# It has nothing to export, so that its own end is the proof of that.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
