"""As much of HTTP/2 as an attacker needs: frames written by hand.

What a real client's library would never send is the point of it: header blocks
that never end, streams that are reset at once, windows of nothing.
"""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = (
    0, 1, 3, 4, 6, 7, 8)
CONTINUATION = 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
CANCEL = struct.pack(">I", 8)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes(
        (kind, flags)) + struct.pack(">I", stream) + payload


def _length(prefix_bits, first, value):
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes((first | value,))
    out = bytearray((first | most,))
    value -= most
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes((value,)))


def _text(text):
    return _length(7, 0, len(text)) + text


def literal(name, value):
    """A header that the other side need not remember."""
    return b"\x00" + _text(name) + _text(value)


def remembered(name, value):
    """A header that goes into the other side's table."""
    return b"\x40" + _text(name) + _text(value)


def of_table(index):
    return _length(7, 0x80, index)


def call_headers(path, *more, authority=b"x"):
    return b"".join((
        literal(b":method", b"POST"), literal(b":scheme", b"http"),
        literal(b":path", path.encode()), literal(b":authority", authority),
        literal(b"content-type", b"application/grpc"),
        literal(b"te", b"trailers"), *more))


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


def unary(stream, headers, body):
    """A whole call: its headers and its one message."""
    return frame(HEADERS, END_HEADERS, stream, headers) + frame(
        DATA, END_STREAM, stream, message(body))


def settings(**values):
    numbers = {"initial_window_size": INITIAL_WINDOW_SIZE}
    return frame(SETTINGS, payload=b"".join(
        struct.pack(">HI", numbers[name], value)
        for name, value in values.items()))


def hello(**values):
    return PREFACE + settings(**values)


class Wire:
    """A connection that writes what it is told and splits what it reads."""

    def __init__(self, port, source="127.0.0.1", timeout=10, **values):
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=timeout, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = bytearray()
        self.send(hello(**values))

    def send(self, data):
        self.socket.sendall(data)

    def frames(self):
        """(kind, flags, stream, payload) until the peer hangs up."""
        while True:
            while len(self._read) >= 9:
                size = int.from_bytes(self._read[:3], "big")
                if len(self._read) < 9 + size:
                    break
                kind, flags = self._read[3], self._read[4]
                stream = int.from_bytes(self._read[5:9], "big")
                payload = bytes(self._read[9:9 + size])
                del self._read[:9 + size]
                yield kind, flags, stream, payload
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionError:
                return
            if not more:
                return
            self._read += more

    def close(self):
        self.socket.close()
