"""What a hostile client sends to an address, one list of conversations for each protocol.

Each conversation is a list of byte strings. It is sent without waiting for an answer, and ends with a close or a reset.
All of them together are bounded: some tens of MiB.
"""

import gzip
import json
import socket
import struct

MIB = 1 << 20
HUGE = 0x7FFFFFFF
TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GARBAGE = bytes((i * 73 + i // 7) % 256 for i in range(5000))


def send(address, pieces, reset=False):
    """Sends the pieces; the peer may close at any time."""
    host, port = address.rsplit(":", 1)
    try:
        connection = socket.create_connection((host, int(port)), timeout=5)
    except OSError:
        return
    try:
        for piece in pieces:
            connection.sendall(piece)
    except OSError:
        pass
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_answer(address, pieces):
    """Sends the pieces, and reads until the peer closes or says nothing for a moment."""
    host, port = address.rsplit(":", 1)
    try:
        connection = socket.create_connection((host, int(port)), timeout=0.5)
        for piece in pieces:
            connection.sendall(piece)
        while connection.recv(1 << 16):
            pass
    except OSError:
        pass


def hold(address, count):
    """Opens many connections that send nothing."""
    host, port = address.rsplit(":", 1)
    held = []
    for _ in range(count):
        try:
            held.append(socket.create_connection((host, int(port)), timeout=5))
        except OSError:
            break
    for connection in held:
        connection.close()


def http1(path, headers=b""):
    head = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\n" + headers
    return [
        [head[:40]],
        [head],
        [head + b"content-length: 1000\r\n\r\n", b"half"],
        [head + b"content-length: 9223372036854775807\r\n\r\n", b"x" * MIB],
        [head + b"content-length: 99999999999999999999999\r\n\r\n", b"x"],
        [head + b"content-length: 3\r\ncontent-length: 5\r\n\r\n", b"12345"],
        [head + b"transfer-encoding: chunked\r\n\r\n", b"ffffffffffffffff\r\n", b"x" * MIB],
        [head + b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 20000],
        [head, b"x-long: " + b"y" * MIB],
        [head, b"x: y\r\n" * 50000],
        [head + b"baggage: a=\x01\x02\x00\r\n\r\n"],
        [head + b"\r\n" + GARBAGE],
        [GARBAGE],
        [(head + b"content-length: 0\r\n\r\n") * 300],
    ]


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
# POST, http, path `/`, and the content type of gRPC as a literal.
HEAD = b"\x83\x86\x84\x40\x0ccontent-type\x10application/grpc\x40\x0btraceparent\x37" + TRACEPARENT


def http2():
    streams = range(1, 2001, 2)
    message = b"\x00\xff\xff\xff\xff" + b"x" * 1000
    return [
        [PREFACE[:10]],
        [PREFACE],
        [PREFACE, GARBAGE],
        [PREFACE, b"\xff\xff\xff\x01\x04\x00\x00\x00\x01", b"x" * MIB],
        [PREFACE] + [frame(1, 4, s, HEAD) + frame(3, 0, s, b"\0\0\0\x08") for s in streams],
        [PREFACE, frame(1, 0, 1, HEAD)] + [frame(9, 0, 1, b"\x40\x01a\x01b")] * 20000,
        [PREFACE] + [frame(4, 0, 0, b"")] * 10000,
        [PREFACE] + [frame(6, 0, 0, b"12345678")] * 10000,
        [PREFACE] + [frame(2, 0, s, b"\0\0\0\0\xff") for s in streams],
        [PREFACE, frame(1, 4, 1, HEAD), frame(0, 0, 1, message)],
        [PREFACE, frame(1, 4, 1, HEAD)] + [frame(0, 0, 1, message)] * 500,
        [PREFACE, frame(1, 4, 1, HEAD), frame(8, 0, 0, b"\x7f\xff\xff\xff"), frame(8, 0, 1, b"\0\0\0\0")],
        [PREFACE, frame(1, 4, 1, b"\x3f\xff\xff\xff\xff\x7f" + b"\xff" * 100)],
        [PREFACE, frame(1, 4, 1, HEAD), frame(7, 0, 0, b"\0\0\0\0\0\0\0\x02" + b"bye" * 1000)],
    ]


def otlp():
    bomb = gzip.compress(b"\0" * (64 * MIB))
    deep = b"[" * 100000
    heads = [
        (b"content-type: application/x-protobuf\r\n", GARBAGE),
        (b"content-type: application/x-protobuf\r\n", b"\x0a\xff\xff\xff\xff\x07"),
        (b"content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n", bomb),
        (b"content-type: application/json\r\n", b'{"resourceSpans":' + deep),
        (b"content-type: application/json\r\n", GARBAGE),
    ]
    whole = []
    for headers, body in heads:
        length = b"content-length: %d\r\n\r\n" % len(body)
        whole.append([b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n" + headers + length, body])
    return http1(b"/v1/traces", b"content-type: application/x-protobuf\r\n") + http2() + whole


def kafka_request(key, version, body):
    head = struct.pack(">hhi", key, version, 1) + b"\0\x01x" + body
    return struct.pack(">i", len(head)) + head


def kafka():
    count = struct.pack(">i", HUGE)
    compact = b"\xff\xff\xff\xff\x07"
    conversations = []
    for key in [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 22, 24, 26, 32, 42, 60]:
        for version in range(0, 13):
            bodies = [count, b"\0" + compact, b"\0\x01g" + count, b"\xff\xff\xff\xff\0\0\0\0" + count]
            conversations.append([kafka_request(key, version, body) for body in bodies])
    announced = struct.pack(">i", 80 * MIB)
    return conversations + [
        [b"\0\0"],
        [count, b"x" * MIB],
        [b"\xff\xff\xff\xff"],
        [GARBAGE],
        [kafka_request(18, 3, b"")[:9]],
        [kafka_request(3, 9, GARBAGE)],
        [kafka_request(18, 0, b"")] * 2000,
    ] + [[announced, b"x" * MIB]] * 30


def amqp_frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def amqp():
    header = b"AMQP\0\0\x09\x01"
    table = b""
    for _ in range(18000):
        table = struct.pack(">I", len(table) + 3) + b"\x01aF" + table
    start_ok = b"\0\x0a\0\x0b"
    logged_in = [
        header,
        amqp_frame(1, 0, start_ok + b"\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US"),
        amqp_frame(1, 0, b"\0\x0a\0\x1f\0\0\0\x02\0\0\0\0"),
        amqp_frame(1, 0, b"\0\x0a\0\x28\x01/\0\0"),
        amqp_frame(1, 1, b"\0\x14\0\x0a\0"),
    ]
    publish = amqp_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0")
    return [
        [b"AMQ"],
        [header],
        [b"HTTP\0\0\x09\x01"],
        [header, b"\x01\0\0\xff\xff\xff\xff", b"x" * MIB],
        [header, amqp_frame(1, 0, start_ok + table)],
        [header, GARBAGE],
        logged_in + [publish, amqp_frame(2, 1, b"\0\x3c\0\0" + b"\xff" * 8 + b"\0\0"), b"\x03\0\x01\xff\xff\xff\xff"],
        logged_in + [publish, amqp_frame(2, 1, b"\0\x3c\0\0" + struct.pack(">Q", 1000) + b"\0\0")],
        logged_in + [amqp_frame(8, 0, b"")] * 20000,
        logged_in + [amqp_frame(1, channel, b"\0\x14\0\x0a\0") for channel in range(2, 3000)],
        logged_in + [amqp_frame(3, 1, b"no method before")],
        logged_in + [GARBAGE],
    ]


def sqs():
    calls = []
    bodies = [b"{", b"[" * 100000, GARBAGE, b'{"QueueUrl":"x","MessageBody":"' + b"y" * MIB + b'"}']
    bodies.append(json.dumps({"QueueUrl": "x", "Entries": [{"Id": str(i)} for i in range(20000)]}).encode())
    for target in [b"SendMessage", b"SendMessageBatch", b"ReceiveMessage", b"NoSuchThing"]:
        for body in bodies:
            head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS."
            calls.append([head + target + b"\r\ncontent-length: %d\r\n\r\n" % len(body), body])
    return calls + http1(b"/", b"x-amz-target: AmazonSQS.SendMessage\r\n")


CONVERSATIONS = {
    "http1": lambda: http1(b"/attack"),
    "http2": http2,
    "otlp": otlp,
    "kafka": kafka,
    "amqp": amqp,
    "sqs": sqs,
}


def attack(protocol, address):
    for number, pieces in enumerate(CONVERSATIONS[protocol]()):
        send(address, pieces, reset=number % 2 == 1)
        if number % 8 == 0:
            wait_for_answer(address, pieces)
    hold(address, 100)
