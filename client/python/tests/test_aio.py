"""The asyncio verifier: the same rules over another kind of I/O."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from fake_server import FakeServer, Stream, delta, entry, key_set, snapshot

import ostiary
import ostiary.aio
from ostiary.testing import TestIssuer

ISSUER = "http://issuer.test"
Test = Callable[[FakeServer, TestIssuer], Awaitable[None]]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    return TestIssuer(ISSUER)


async def next_stream(server: FakeServer) -> Stream:
    return await asyncio.to_thread(server.next_stream)


def begin(stream: Stream, issuer: TestIssuer, sequence: int = 0, **named: Any) -> None:
    stream.send(key_set(*issuer.jwks()["keys"]), snapshot(sequence, **named))


async def refusal(verifier: ostiary.aio.Verifier, token: str, **demand: Any) -> str:
    with pytest.raises(ostiary.TokenError) as caught:
        await verifier.verify(token, **demand)
    return caught.value.reason


def test_a_delta_revokes_at_once(server: FakeServer, issuer: TestIssuer) -> None:
    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER) as verifier:
            stream = await next_stream(server)
            begin(stream, issuer)
            await verifier.wait_ready(5)
            token = issuer.token("acct_ada", generation=3)
            assert (await verifier.verify(token)).subject == "acct_ada"
            account = {"account_id": "acct_ada", "min_generation": 4}
            stream.send(delta(0, 1, [entry(account=account)]))
            await verifier.wait_for("rev_000000010000000000000001", 5)
            assert await refusal(verifier, token) == "TOKEN_REVOKED"
            await verifier.verify(issuer.token("acct_ada", generation=4))
        assert server.asked == []

    asyncio.run(scene())


def test_a_gap_is_resumed_and_a_large_frame_is_applied(
    server: FakeServer, issuer: TestIssuer
) -> None:
    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER) as verifier:
            stream = await next_stream(server)
            begin(stream, issuer, 2, entries=[entry(session_id=f"s{i}") for i in range(2000)])
            await verifier.wait_ready(5)
            assert await refusal(verifier, issuer.token(session_id="s77")) == "TOKEN_REVOKED"
            stream.send(delta(5, 6))
            assert (await next_stream(server)).request.cursor == "c1.2"

    asyncio.run(scene())


def test_a_silent_stream_is_opened_again(server: FakeServer, issuer: TestIssuer) -> None:
    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER, silence=0.3) as verifier:
            begin(await next_stream(server), issuer, 4)
            await verifier.wait_ready(5)
            begun = time.monotonic()
            assert (await next_stream(server)).request.cursor == "c1.4"
            assert 0.2 < time.monotonic() - begun < 2

    asyncio.run(scene())


def test_stale_it_asks_and_the_breaker_opens(server: FakeServer, issuer: TestIssuer) -> None:
    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER) as verifier:
            assert (await verifier.verify(issuer.token("acct_ada"))).subject == "acct_ada"
            server.ask_code = grpc.StatusCode.INTERNAL
            for _ in range(9):
                assert await refusal(verifier, issuer.token()) == "CHECK_UNAVAILABLE"
            assert len(server.asked) == 6
            assert verifier.stats().breaker_open

    asyncio.run(scene())


def test_no_more_than_sixteen_ask_at_once(server: FakeServer, issuer: TestIssuer) -> None:
    server.answer_delay = 0.3

    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER) as verifier:
            tokens = [issuer.token() for _ in range(20)]
            verdicts = await asyncio.gather(*map(verifier.verify, tokens), return_exceptions=True)
            refused = [one for one in verdicts if isinstance(one, ostiary.CheckUnavailable)]
            assert len(refused) == 4
            assert len(server.asked) == 16

    asyncio.run(scene())


def test_waiting_ends_in_time(server: FakeServer) -> None:
    async def scene() -> None:
        async with ostiary.aio.Verifier(server.target, issuer=ISSUER) as verifier:
            with pytest.raises(TimeoutError):
                await verifier.wait_ready(0.05)

    asyncio.run(scene())


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("ends", ["with an error", "with a frame", "in order"])
def test_it_closes_at_the_moment_its_stream_ends(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, turns: int, ends: str
) -> None:
    """`turns` of the loop after it: somewhere there wait_for swallows the
    cancellation, before Python 3.12."""

    async def scene() -> None:
        reads = 0
        ended = asyncio.get_running_loop().create_future()

        async def read(_call: object) -> Any:
            nonlocal reads
            reads += 1
            return await (ended if reads == 1 else asyncio.Event().wait())

        monkeypatch.setattr("ostiary.aio._verifier._read", read)
        verifier = ostiary.aio.Verifier(server.target, issuer=ISSUER)
        await verifier.start()
        while reads == 0:
            await asyncio.sleep(0.001)
        if ends == "with an error":
            ended.set_exception(RuntimeError("the stream broke"))
        else:
            ended.set_result(snapshot(1) if ends == "with a frame" else None)
        for _ in range(turns):
            await asyncio.sleep(0)
        closing = asyncio.ensure_future(verifier.close())
        done, _ = await asyncio.wait({closing}, timeout=2)
        assert closing in done

    asyncio.run(scene())


def test_a_waiter_is_cancelled_even_when_it_is_woken(issuer: TestIssuer) -> None:
    async def scene() -> None:
        verifier = issuer.aio_verifier()
        waiting = asyncio.create_task(verifier.wait_for("rev_000000010000000000000009", 60))
        await asyncio.sleep(0)
        issuer.revoke(session_id="sess_y")  # one before the one that is waited for
        await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait({waiting}, timeout=2)
        assert waiting in done and waiting.cancelled()

    asyncio.run(scene())


def test_a_test_issuer_wakes_waiters(issuer: TestIssuer) -> None:
    async def scene() -> None:
        verifier = issuer.aio_verifier()
        waiting = asyncio.create_task(verifier.wait_for("rev_000000010000000000000001", 5))
        await asyncio.sleep(0)
        issuer.revoke(session_id="sess_x")
        await waiting
        assert await refusal(verifier, issuer.token(session_id="sess_x")) == "TOKEN_REVOKED"

    asyncio.run(scene())
