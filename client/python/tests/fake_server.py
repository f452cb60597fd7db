"""A server that says about the feed whatever a test wants said."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import grpc

from ostiary.v1 import revocation_service_pb2 as feed
from ostiary.v1 import revocation_service_pb2_grpc, token_service_pb2, token_service_pb2_grpc
from ostiary.v1.key_service_pb2 import JsonWebKey

KeyLike = dict[str, str]


def key_set(*jwks: KeyLike) -> feed.WatchResponse:
    return feed.WatchResponse(
        key_set=feed.RevocationKeySet(keys=[JsonWebKey(**jwk) for jwk in jwks])
    )


def _stamped(message: Any, as_of: Optional[float]) -> None:
    moment = time.time() if as_of is None else as_of
    message.as_of.FromNanoseconds(int(moment * 1e9))


def snapshot(
    sequence: int,
    entries: Iterable[feed.RevocationEntry] = (),
    *,
    sets: Iterable[feed.FingerprintSet] = (),
    epoch: int = 1,
    last: bool = True,
    as_of: Optional[float] = None,
) -> feed.WatchResponse:
    part = feed.RevocationSnapshot(
        epoch=epoch, sequence=sequence, entries=entries, fingerprint_sets=sets, last=last
    )
    if last:
        part.cursor = f"c{epoch}.{sequence}"
        _stamped(part, as_of)
    return feed.WatchResponse(snapshot=part)


def delta(
    begin: int,
    end: int,
    entries: Iterable[feed.RevocationEntry] = (),
    *,
    epoch: int = 1,
    as_of: Optional[float] = None,
) -> feed.WatchResponse:
    message = feed.RevocationDelta(
        epoch=epoch, to=end, entries=entries, cursor=f"c{epoch}.{end}", **{"from": begin}
    )
    _stamped(message, as_of)
    return feed.WatchResponse(delta=message)


def heartbeat(
    sequence: int, *, epoch: int = 1, as_of: Optional[float] = None
) -> feed.WatchResponse:
    message = feed.RevocationHeartbeat(
        epoch=epoch, sequence=sequence, cursor=f"c{epoch}.{sequence}"
    )
    _stamped(message, as_of)
    return feed.WatchResponse(heartbeat=message)


def entry(forget_in: Optional[float] = 3600, **target: Any) -> feed.RevocationEntry:
    made = feed.RevocationEntry(**target)
    if forget_in is not None:
        made.forget_time.FromNanoseconds(int((time.time() + forget_in) * 1e9))
    return made


class _End:
    def __init__(self, code: grpc.StatusCode) -> None:
        self.code = code


class Stream:
    """One Watch call: what was asked for, and a way to answer."""

    def __init__(self, request: feed.WatchRequest, metadata: dict[str, str]) -> None:
        self.request = request
        self.metadata = metadata
        self.frames: queue.Queue[Any] = queue.Queue()

    def send(self, *frames: feed.WatchResponse) -> None:
        for frame in frames:
            self.frames.put(frame)

    def end(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        self.frames.put(_End(code))


class _Feed(revocation_service_pb2_grpc.RevocationServiceServicer):
    def __init__(self, house: FakeServer) -> None:
        self._house = house

    def Watch(self, request: feed.WatchRequest, context: Any) -> Any:  # noqa: N802
        stream = Stream(request, dict(context.invocation_metadata()))
        self._house.streams.put(stream)
        if not context.add_callback(lambda: stream.frames.put(None)):
            return  # it has ended already, and nobody would be called
        while True:
            frame = stream.frames.get()
            if frame is None:
                return
            if isinstance(frame, _End):
                context.abort(frame.code, "the test says so")
            yield frame


class _Tokens(token_service_pb2_grpc.TokenServiceServicer):
    def __init__(self, house: FakeServer) -> None:
        self._house = house

    def Verify(self, request: token_service_pb2.VerifyRequest, context: Any) -> Any:  # noqa: N802
        house = self._house
        house.asked.append(request)
        if house.answer_delay:
            time.sleep(house.answer_delay)
        if house.ask_code is not None:
            context.abort(house.ask_code, "the test says so")
        reason = house.reason
        return token_service_pb2.VerifyResponse(valid=not reason, reason=reason)


class FakeServer:
    """Real gRPC on a port of its own."""

    def __init__(
        self, port: int = 0, tls: Optional[tuple[tuple[bytes, bytes], bytes]] = None
    ) -> None:
        """`tls`: ((certificate, key), the clients' authority), all PEM."""
        self.streams: queue.Queue[Stream] = queue.Queue()
        self.asked: list[token_service_pb2.VerifyRequest] = []
        self.reason = ""
        self.ask_code: Optional[grpc.StatusCode] = None
        self.answer_delay = 0.0
        self._server = grpc.server(ThreadPoolExecutor(48), options=[("grpc.so_reuseport", 0)])
        revocation_service_pb2_grpc.add_RevocationServiceServicer_to_server(
            _Feed(self), self._server
        )
        token_service_pb2_grpc.add_TokenServiceServicer_to_server(_Tokens(self), self._server)
        address = f"127.0.0.1:{port}"
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            (chain, key), clients = tls
            credentials = grpc.ssl_server_credentials([(key, chain)], clients, True)
            self.port = self._server.add_secure_port(address, credentials)
        self.target = f"127.0.0.1:{self.port}"
        self._server.start()

    def next_stream(self, timeout: float = 10) -> Stream:
        return self.streams.get(timeout=timeout)

    def stop(self) -> None:
        self._server.stop(0).wait()

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def eventually(condition: Any, timeout: float = 5.0) -> None:
    """Fails if `condition` does not become true."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        pause.wait(0.005)
