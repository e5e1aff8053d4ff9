"""A service that answers each connection in another hostile way; SPEAKS is `http1` or `http2`."""

import itertools
import os
import signal
import socket
import struct
import sys
import threading

from attacks import GARBAGE, MIB, frame

SETTINGS = frame(4, 0, 0, b"")
HEAD = frame(1, 4, 1, b"\x88")

HTTP1 = [
    b"",
    b"HT",
    GARBAGE,
    b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n" + b"x" * MIB,
    b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n" + b"x" * MIB,
    b"HTTP/1.1 200 OK\r\nx: " + b"y" * MIB,
    b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    b"HTTP/1.1 999 \x00\x01\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" * 1000,
]
HTTP2 = [
    b"",
    SETTINGS,
    GARBAGE,
    SETTINGS + b"\xff\xff\xff\x01\x04\x00\x00\x00\x01" + b"x" * MIB,
    SETTINGS + HEAD + frame(0, 0, 1, b"\x00\xff\xff\xff\xff" + b"x" * 1000),
    SETTINGS + HEAD + frame(3, 0, 1, b"\0\0\0\x08"),
    SETTINGS + frame(7, 0, 0, b"\0\0\0\0\0\0\0\x02" + b"bye"),
    SETTINGS * 10000,
    SETTINGS + frame(6, 0, 0, b"12345678") * 10000,
    SETTINGS + frame(1, 0, 1, b"\x88") + frame(9, 0, 1, b"\x40\x01a\x01b") * 20000,
    SETTINGS + frame(8, 0, 0, b"\0\0\0\0"),
    SETTINGS + HEAD + frame(1, 5, 1, b"\x40\x0bgrpc-status\x0299999"),
]

ANSWERS = HTTP1 if os.environ["SPEAKS"] == "http1" else HTTP2


def answer(connection, number):
    try:
        connection.settimeout(5)
        connection.recv(1 << 16)
        connection.sendall(ANSWERS[number % len(ANSWERS)])
    except OSError:
        pass
    if number % 3 == 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
for count in itertools.count():
    peer, _ = listener.accept()
    threading.Thread(target=answer, args=(peer, count), daemon=True).start()
