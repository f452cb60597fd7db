"""Keeping a session alive: jitter, single flight, the same attempt again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import grpc
import pytest
from fake_auth import FakeAuth

import ostiary
import ostiary.aio
from ostiary._session import Session, Tokens

LOST = (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
REJECTED = (grpc.StatusCode.UNAUTHENTICATED, "REFRESH_REJECTED")


@pytest.fixture
def server() -> Iterator[FakeAuth]:
    running = FakeAuth()
    yield running
    running.stop()


@pytest.fixture
def client(server: FakeAuth) -> Iterator[ostiary.TokenClient]:
    with ostiary.TokenClient(server.target) as opened:
        yield opened


def tokens(expires_in: float = 100) -> Tokens:
    return Tokens("access", "ort_1", expires_in, 1000, "", "sess_1")


class TestWhen:
    def test_between_60_and_85_percent_of_the_lifetime(self) -> None:
        drawn: list[tuple[float, float]] = []

        def uniform(low: float, high: float) -> float:
            drawn.append((low, high))
            return high

        session = Session(uniform)
        session.begin(tokens(), now=1000)
        assert drawn == [(0.60, 0.85)]
        assert session.current(1084.9) == "access"
        assert session.current(1085) is None
        assert session.still_good(1094) == "access"
        assert session.still_good(1095) is None

    def test_the_moment_differs(self) -> None:
        moments = set()
        for _ in range(20):
            session = Session()
            session.begin(tokens(), now=0)
            moments.add(session._refresh_at)
            assert 60 <= session._refresh_at <= 85
        assert len(moments) == 20

    def test_tokens_do_not_show_in_logs(self) -> None:
        assert "ort_1" not in repr(tokens()) and "access" not in repr(tokens()).split("(", 1)[0]


def test_a_token_is_used_while_it_is_good(server: FakeAuth, client: ostiary.TokenClient) -> None:
    client.sign_in("ada", "pw")
    assert {client.access_token() for _ in range(5)} == {"access-1"}
    assert server.refreshes == []


def test_a_due_token_is_refreshed_and_both_are_replaced(
    server: FakeAuth, client: ostiary.TokenClient
) -> None:
    server.lifetime = 0.0
    client.sign_in("ada", "pw")
    server.lifetime = 100
    assert client.access_token() == "access-2"
    assert client.tokens is not None and client.tokens.refresh_token == "ort_2"
    assert client.access_token() == "access-2"
    assert [r.refresh_token for r in server.refreshes] == ["ort_1"]


def test_a_lost_answer_is_asked_for_with_the_same_token_and_id(
    server: FakeAuth, client: ostiary.TokenClient
) -> None:
    client.resume("ort_kept")
    server.failures = [LOST, (grpc.StatusCode.ABORTED, "REFRESH_IN_PROGRESS")]
    assert client.access_token() == "access-1"
    assert len(server.refreshes) == 3
    assert {r.refresh_token for r in server.refreshes} == {"ort_kept"}
    ids = {r.request_id for r in server.refreshes}
    assert len(ids) == 1 and 16 <= len(ids.pop()) <= 128


def test_an_attempt_without_an_answer_is_taken_up_again_later(
    server: FakeAuth, client: ostiary.TokenClient
) -> None:
    server.lifetime = 0.0
    client.sign_in("ada", "pw")
    server.lifetime = 100
    server.failures = [LOST] * 4
    with pytest.raises(ostiary.CallError) as caught:
        client.access_token()
    assert caught.value.reason == "STORE_UNAVAILABLE"
    assert client.access_token() == "access-2"
    assert len(server.refreshes) == 5
    assert len({(r.refresh_token, r.request_id) for r in server.refreshes}) == 1


def test_the_next_exchange_has_another_id(server: FakeAuth, client: ostiary.TokenClient) -> None:
    server.lifetime = 0.0
    client.resume("ort_kept")
    client.access_token()
    client.access_token()
    assert len({r.request_id for r in server.refreshes}) == 2


def test_a_rejected_refresh_ends_the_session(
    server: FakeAuth, client: ostiary.TokenClient
) -> None:
    client.resume("ort_stolen")
    server.failures = [REJECTED]
    with pytest.raises(ostiary.SignInRequired):
        client.access_token()
    with pytest.raises(ostiary.SignInRequired):
        client.access_token()
    assert len(server.refreshes) == 1
    assert client.tokens is None


def test_a_token_that_is_still_good_outlives_an_outage(
    server: FakeAuth, client: ostiary.TokenClient
) -> None:
    client.sign_in("ada", "pw")
    client._session._refresh_at = 0  # due, not expired
    server.failures = [LOST] * 4
    assert client.access_token() == "access-1"


def test_one_refresh_whoever_asks(server: FakeAuth, client: ostiary.TokenClient) -> None:
    client.resume("ort_kept")
    server.delay = 0.2
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.access_token())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["access-1"] * 8
    assert len(server.refreshes) == 1


def test_signing_out_ends_it_here_and_there(server: FakeAuth, client: ostiary.TokenClient) -> None:
    client.sign_in("ada", "pw")
    assert client.sign_out() == "rev_1"
    assert server.signed_out == ["ort_1"]
    assert client.sign_out() == ""
    with pytest.raises(ostiary.SignInRequired):
        client.access_token()


def test_a_refusal_is_read_whole(server: FakeAuth) -> None:
    with ostiary.AuthClient(server.target) as auth:
        with pytest.raises(ostiary.CallError) as limited:
            auth.sign_in("ada", "wrong")
        assert (limited.value.reason, limited.value.retry_after) == ("RATE_LIMITED", 2.5)
        assert limited.value.code == "RESOURCE_EXHAUSTED"
        with pytest.raises(ostiary.CallError) as rejected:
            auth.sign_up(username="ada", password="password")
        assert rejected.value.fields == {"password": "is too common"}


def test_nobody_there_is_unavailable() -> None:
    with ostiary.AuthClient("127.0.0.1:1", timeout=2) as auth:
        with pytest.raises(ostiary.CallError) as caught:
            auth.sign_in("ada", "pw")
        assert caught.value.unavailable


class TestAio:
    def test_one_refresh_whoever_asks_and_gives_up(self, server: FakeAuth) -> None:
        server.delay = 0.2

        async def scene() -> None:
            async with ostiary.aio.TokenClient(server.target) as client:
                client.resume("ort_kept")
                asking = [asyncio.create_task(client.access_token()) for _ in range(8)]
                await asyncio.sleep(0.05)
                asking[0].cancel()
                answers = await asyncio.gather(*asking, return_exceptions=True)
                assert isinstance(answers[0], asyncio.CancelledError)
                assert answers[1:] == ["access-1"] * 7
                assert client.tokens is not None and client.tokens.refresh_token == "ort_1"
                assert await client.access_token() == "access-1"

        asyncio.run(scene())
        assert len(server.refreshes) == 1

    def test_a_lost_answer_and_a_rejection(self, server: FakeAuth) -> None:
        async def scene() -> None:
            async with ostiary.aio.TokenClient(server.target) as client:
                server.lifetime = 0
                await client.sign_in("ada", "pw")
                server.failures = [LOST]
                assert await client.access_token() == "access-2"
                assert len({r.request_id for r in server.refreshes}) == 1
                server.failures = [REJECTED]
                with pytest.raises(ostiary.SignInRequired):
                    await client.access_token()
                assert await client.sign_out() == ""

        asyncio.run(scene())

    def test_a_refusal_is_read_whole(self, server: FakeAuth) -> None:
        async def scene() -> None:
            async with ostiary.aio.AuthClient(server.target) as auth:
                with pytest.raises(ostiary.CallError) as limited:
                    await auth.sign_in("ada", "wrong")
                assert (limited.value.reason, limited.value.retry_after) == ("RATE_LIMITED", 2.5)

        asyncio.run(scene())
