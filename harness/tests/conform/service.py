"""A service of the W3C trace-context suite, right by default and broken on request.

`python3 service.py PORT [HOW]`: with HOW it misbehaves on the trace id of one vector.
"""
import http.server, json, os, re, secrets, sys, threading, time, urllib.request

PORT, HOW = int(sys.argv[1]), (sys.argv[2:] or [""])[0]
ODD = "12345678901234567890123456789012"
PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.S)
MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


def extract(headers):
    """The trace id, flags and tracestate to continue, or a new trace."""
    parents = headers.get_all("traceparent") or []
    value = parents[0].strip(" \t") if len(parents) == 1 else ""
    if not PARENT.fullmatch(value) or value.startswith("00") and len(value) != 55:
        return secrets.token_hex(16), 3, ""
    members = [m.strip(" \t") for m in ",".join(headers.get_all("tracestate") or []).split(",")]
    members = [m for m in members if m]
    legal = len(members) <= 32 and all(MEMBER.fullmatch(m) for m in members)
    known = 3 if value.startswith("00") else 1
    return value[3:35], int(value[53:55], 16) & known, ",".join(members) if legal else ""


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        trace, flags, state = extract(self.headers)
        steps = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        how = HOW if trace == ODD else ""
        if how:
            print("it goes wrong here:", how, flush=True)
        if how == "hang":
            time.sleep(60)
        if how == "die":
            os._exit(1)
        if how == "drop":
            self.close_connection = True
            return
        if how == "late":
            self.answer(200)
            time.sleep(0.2)
        for step in steps if how not in ("500", "silent") else []:
            self.call(step, trace, flags, state)
            if how == "twice":
                self.call(step, trace, flags, state)
        if how != "late":
            self.answer(500 if how == "500" else 200)

    def call(self, step, trace, flags, state):
        headers = {"content-type": "application/json", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-{flags:02x}"}
        if state:
            headers["tracestate"] = state
        request = urllib.request.Request(step["url"], json.dumps(step["arguments"]).encode(), headers)
        urllib.request.urlopen(request).read()

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()
        self.wfile.flush()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Service).serve_forever()
