"""The guards, on real gRPC servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import grpc
import grpc.aio
import pytest
from fake_server import FakeServer

import ostiary
from ostiary.grpc_guard import OPEN, AioGuard, Guard, Needs, current_claims
from ostiary.testing import TestIssuer

issuer = TestIssuer()
NEEDS = {
    "/test.S/Admin": Needs(roles=["admin"]),
    "/test.S/Write": Needs(scopes=["w"]),
    "/test.S/Open": OPEN,
}


def whoami(request: bytes, context: Any) -> bytes:
    return current_claims().subject.encode()


def count(request: bytes, context: Any) -> Iterator[bytes]:
    subject = current_claims().subject
    yield subject.encode()
    yield b"2"


def open_to_all(request: bytes, context: Any) -> bytes:
    return b"open"


class Handlers(grpc.GenericRpcHandler):
    def __init__(self, unary: Any, stream: Any, anyone: Any) -> None:
        self._unary = grpc.unary_unary_rpc_method_handler(unary)
        self._stream = grpc.unary_stream_rpc_method_handler(stream)
        self._open = grpc.unary_unary_rpc_method_handler(anyone)

    def service(self, details: Any) -> Any:
        return {
            "/test.S/Who": self._unary,
            "/test.S/Admin": self._unary,
            "/test.S/Write": self._unary,
            "/test.S/Count": self._stream,
            "/test.S/Open": self._open,
        }.get(details.method)


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    server = grpc.server(
        ThreadPoolExecutor(4),
        handlers=[Handlers(whoami, count, open_to_all)],
        interceptors=[Guard(issuer.verifier(), NEEDS)],
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    server.stop(0)


def bearer(token: Optional[str] = None, **claims: Any) -> list[tuple[str, str]]:
    return [("authorization", "Bearer " + (token or issuer.token("acct_ada", **claims)))]


def call(channel: grpc.Channel, method: str, metadata: Any = ()) -> bytes:
    answer: bytes = channel.unary_unary(f"/test.S/{method}")(b"", metadata=metadata, timeout=5)
    return answer


def code(channel: grpc.Channel, method: str, metadata: Any = ()) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, method, metadata)
    found: grpc.StatusCode = caught.value.code()
    return found


def test_the_handler_knows_who_calls(channel: grpc.Channel) -> None:
    assert call(channel, "Who", bearer()) == b"acct_ada"
    stream = channel.unary_stream("/test.S/Count")(b"", metadata=bearer(), timeout=5)
    assert list(stream) == [b"acct_ada", b"2"]


def test_without_a_good_token_nothing_is_handled(channel: grpc.Channel) -> None:
    assert code(channel, "Who") == grpc.StatusCode.UNAUTHENTICATED
    assert code(channel, "Who", bearer("x")) == grpc.StatusCode.UNAUTHENTICATED
    assert code(channel, "Who", bearer(lifetime=-1)) == grpc.StatusCode.UNAUTHENTICATED
    assert code(channel, "Who", bearer() + bearer()) == grpc.StatusCode.UNAUTHENTICATED
    basic = [("authorization", "Basic YTpi")]
    assert code(channel, "Who", basic) == grpc.StatusCode.UNAUTHENTICATED
    stream = channel.unary_stream("/test.S/Count")(b"", timeout=5)
    with pytest.raises(grpc.RpcError):
        list(stream)


def test_needs_are_held_to(channel: grpc.Channel) -> None:
    assert code(channel, "Admin", bearer()) == grpc.StatusCode.PERMISSION_DENIED
    assert call(channel, "Admin", bearer(roles=["admin"])) == b"acct_ada"
    assert code(channel, "Write", bearer()) == grpc.StatusCode.PERMISSION_DENIED
    assert call(channel, "Write", bearer(scopes=["w"])) == b"acct_ada"
    assert call(channel, "Open") == b"open"
    assert code(channel, "Missing", bearer()) == grpc.StatusCode.UNIMPLEMENTED


def test_nobody_knows_is_unavailable() -> None:
    cut_off = ostiary.Verifier("127.0.0.1:1", issuer=issuer.issuer, policy="refuse")
    server = grpc.server(
        ThreadPoolExecutor(1),
        handlers=[Handlers(whoami, count, open_to_all)],
        interceptors=[Guard(cut_off)],
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with cut_off, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert code(channel, "Who", bearer()) == grpc.StatusCode.UNAVAILABLE
    server.stop(0)


def test_what_must_be_asked_is_asked_and_does_not_hold_up_others() -> None:
    with FakeServer() as ostiary_server:
        ostiary_server.answer_delay = 1
        target = ostiary_server.target
        stale = ostiary.Verifier(target, issuer=issuer.issuer, ask_timeout=10)
        server = grpc.server(
            ThreadPoolExecutor(8),
            handlers=[Handlers(whoami, count, open_to_all)],
            interceptors=[Guard(stale, NEEDS)],
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with stale, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            who = channel.unary_unary("/test.S/Who")
            begun = time.monotonic()
            calls = [who.future(b"", metadata=bearer(), timeout=10) for _ in range(4)]
            assert call(channel, "Open") == b"open"
            assert time.monotonic() - begun < 0.9
            assert [one.result() for one in calls] == [b"acct_ada"] * 4
            assert time.monotonic() - begun < 3
            assert len(ostiary_server.asked) == 4
            ostiary_server.reason = "TOKEN_REVOKED"
            assert code(channel, "Who", bearer()) == grpc.StatusCode.UNAUTHENTICATED
        server.stop(0)


def test_asyncio() -> None:
    async def who(request: bytes, context: Any) -> bytes:
        return current_claims().subject.encode()

    async def count_slowly(request: bytes, context: Any) -> Any:
        yield current_claims().subject.encode()
        await asyncio.sleep(0)
        yield current_claims().subject.encode()

    async def anyone(request: bytes, context: Any) -> bytes:
        return b"open"

    async def scene() -> None:
        guard = AioGuard(issuer.aio_verifier(), NEEDS)
        server = grpc.aio.server(
            handlers=[Handlers(who, count_slowly, anyone)], interceptors=[guard]
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            unary = channel.unary_unary("/test.S/Who")
            assert await unary(b"", metadata=bearer(), timeout=5) == b"acct_ada"
            stream = channel.unary_stream("/test.S/Count")(b"", metadata=bearer(), timeout=5)
            assert [answer async for answer in stream] == [b"acct_ada"] * 2
            for method, metadata, wanted in (
                ("Who", (), grpc.StatusCode.UNAUTHENTICATED),
                ("Admin", bearer(), grpc.StatusCode.PERMISSION_DENIED),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await channel.unary_unary(f"/test.S/{method}")(
                        b"", metadata=metadata, timeout=5
                    )
                assert caught.value.code() == wanted
            with pytest.raises(grpc.aio.AioRpcError):
                refused = channel.unary_stream("/test.S/Count")(b"", timeout=5)
                [answer async for answer in refused]
            assert await channel.unary_unary("/test.S/Open")(b"", timeout=5) == b"open"
        await server.stop(0)

    asyncio.run(scene())
