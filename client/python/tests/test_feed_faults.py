"""The feed as a bad network and a restarted server make it, over real gRPC."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from fake_server import (
    FakeServer,
    Stream,
    delta,
    entry,
    eventually,
    heartbeat,
    key_set,
    snapshot,
)

import ostiary
from ostiary._fingerprints import session_fingerprint
from ostiary.testing import TestIssuer

ISSUER = "http://issuer.test"


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    return TestIssuer(ISSUER)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


def open_verifier(server: FakeServer, **settings: Any) -> ostiary.Verifier:
    return ostiary.Verifier(server.target, issuer=ISSUER, **settings)


def begin(server: FakeServer, issuer: TestIssuer, sequence: int = 0, **named: Any) -> Stream:
    """Takes the next stream and brings the verifier up to `sequence`."""
    stream = server.next_stream()
    stream.send(key_set(*issuer.jwks()["keys"]), snapshot(sequence, **named))
    return stream


def refusal(verifier: ostiary.Verifier, token: str, **demand: Any) -> str:
    with pytest.raises(ostiary.TokenError) as caught:
        verifier.verify(token, **demand)
    return caught.value.reason


def test_a_good_token_is_accepted_without_asking(server: FakeServer, issuer: TestIssuer) -> None:
    with open_verifier(server) as verifier:
        begin(server, issuer)
        verifier.wait_ready(5)
        claims = verifier.verify(issuer.token("acct_ada", scopes=["a", "b"]), scopes=["b"])
        assert claims.subject == "acct_ada"
        assert server.asked == []


def test_it_asks_for_the_compact_form_from_the_beginning(
    server: FakeServer, issuer: TestIssuer
) -> None:
    with open_verifier(server):
        stream = server.next_stream()
        assert stream.request.cursor == ""
        assert stream.request.compact


def test_a_delta_revokes_at_once(server: FakeServer, issuer: TestIssuer) -> None:
    token = issuer.token(session_id="sess_1")
    with open_verifier(server) as verifier:
        stream = begin(server, issuer)
        verifier.wait_ready(5)
        verifier.verify(token)
        stream.send(delta(0, 1, [entry(session_id="sess_1")]))
        verifier.wait_for("rev_000000010000000000000001", 5)
        assert refusal(verifier, token) == "TOKEN_REVOKED"
        assert server.asked == []


def test_a_gap_is_not_applied_and_resumed_from_the_own_cursor(
    server: FakeServer, issuer: TestIssuer
) -> None:
    token = issuer.token(session_id="sess_gap")
    with open_verifier(server) as verifier:
        stream = begin(server, issuer, 4)
        verifier.wait_ready(5)
        stream.send(delta(5, 6, [entry(session_id="sess_gap")]))
        again = server.next_stream()
        assert again.request.cursor == "c1.4"
        assert verifier.verify(token).session_id == "sess_gap"
        again.send(key_set(*issuer.jwks()["keys"]), delta(4, 6, [entry(session_id="sess_gap")]))
        verifier.wait_for("rev_000000010000000000000006", 5)
        assert refusal(verifier, token) == "TOKEN_REVOKED"


def test_a_duplicate_is_ignored(server: FakeServer, issuer: TestIssuer) -> None:
    with open_verifier(server) as verifier:
        stream = begin(server, issuer)
        stream.send(delta(0, 2, [entry(session_id="s")]), delta(0, 2, [entry(session_id="s")]))
        stream.send(delta(1, 2, [entry(session_id="s")]), delta(2, 3))
        verifier.wait_for("rev_000000010000000000000003", 5)
        stats = verifier.stats()
        assert (stats.sequence, stats.entries, stats.reconnects) == (3, 1, 0)


def test_a_delta_of_another_epoch_abandons_the_stream(
    server: FakeServer, issuer: TestIssuer
) -> None:
    with open_verifier(server) as verifier:
        stream = begin(server, issuer)
        verifier.wait_ready(5)
        stream.send(delta(0, 1, [entry(session_id="s")], epoch=2))
        server.next_stream()
        assert verifier.stats().entries == 0


def test_a_new_epoch_unrevokes_nothing(server: FakeServer, issuer: TestIssuer) -> None:
    before, after = issuer.token(session_id="sess_old"), issuer.token(session_id="sess_new")
    with open_verifier(server) as verifier:
        first = begin(server, issuer, 7, entries=[entry(session_id="sess_old")])
        verifier.wait_ready(5)
        first.end()
        begin(server, issuer, 3, entries=[entry(session_id="sess_new")], epoch=2)
        verifier.wait_for("rev_000000020000000000000003", 5)
        assert refusal(verifier, before) == "TOKEN_REVOKED"
        assert refusal(verifier, after) == "TOKEN_REVOKED"
        verifier.wait_for("rev_000000010000000000000007", 1)
        with pytest.raises(ostiary.RevisionLost):
            verifier.wait_for("rev_000000010000000000000008", 1)


def test_a_snapshot_that_ends_early_moves_nothing_and_stays(
    server: FakeServer, issuer: TestIssuer
) -> None:
    token = issuer.token(session_id="sess_part")
    with open_verifier(server, policy="accept") as verifier:
        stream = server.next_stream()
        part = snapshot(5, [entry(session_id="sess_part")], last=False)
        stream.send(key_set(*issuer.jwks()["keys"]), part)
        eventually(lambda: verifier.stats().entries == 1)
        stream.end()
        again = server.next_stream()
        assert again.request.cursor == ""
        assert math.isinf(verifier.stats().staleness_seconds)
        assert refusal(verifier, token) == "TOKEN_REVOKED"
        assert refusal(verifier, issuer.token()) == "CHECK_UNAVAILABLE"


def test_compact_sets_are_understood(server: FakeServer, issuer: TestIssuer) -> None:
    from ostiary.v1.revocation_service_pb2 import FingerprintSet

    number = session_fingerprint("sess_compact")
    compact = FingerprintSet(
        count=1,
        low_bits=50,
        lows=(number & ((1 << 50) - 1)).to_bytes(7, "little"),
        highs=(1 << (number >> 50)).to_bytes(1, "little"),
    )
    with open_verifier(server) as verifier:
        begin(server, issuer, sets=[compact])
        verifier.wait_ready(5)
        token = issuer.token(session_id="sess_compact")
        assert refusal(verifier, token) == "TOKEN_REVOKED"
        verifier.verify(issuer.token(session_id="sess_other"))


def test_a_heartbeat_of_another_position_does_not_count(
    server: FakeServer, issuer: TestIssuer
) -> None:
    with open_verifier(server, staleness_bound=0.3, silence=30, policy="refuse") as verifier:
        stream = begin(server, issuer, 3)
        verifier.wait_ready(5)
        eventually(lambda: verifier.stats().staleness_seconds > 0.3)
        stream.send(heartbeat(4), heartbeat(2), heartbeat(3, epoch=2))
        time.sleep(0.1)
        assert refusal(verifier, issuer.token()) == "CHECK_UNAVAILABLE"
        stream.send(heartbeat(3))
        verifier.wait_ready(5)
        verifier.verify(issuer.token())


def test_an_old_as_of_makes_it_stale_however_fresh_the_frame(
    server: FakeServer, issuer: TestIssuer
) -> None:
    with open_verifier(server, policy="refuse") as verifier:
        begin(server, issuer, as_of=time.time() - 60)
        eventually(lambda: verifier.stats().sequence == 0 and verifier.stats().epoch == 1)
        assert 59 < verifier.stats().staleness_seconds < 65
        assert refusal(verifier, issuer.token()) == "CHECK_UNAVAILABLE"


def test_a_silent_stream_is_noticed_and_opened_again_on_a_new_connection(
    server: FakeServer, issuer: TestIssuer
) -> None:
    with open_verifier(server, silence=0.5) as verifier:
        begin(server, issuer, 9)
        verifier.wait_ready(5)
        channel = verifier._feed.channel  # type: ignore[union-attr]
        begun = time.monotonic()
        again = server.next_stream(3)
        assert 0.3 < time.monotonic() - begun < 2.9
        assert again.request.cursor == "c1.9"
        assert verifier._feed.channel is not channel  # type: ignore[union-attr]
        eventually(lambda: verifier.stats().reconnects == 1)


def test_an_orderly_end_is_followed_at_once(server: FakeServer, issuer: TestIssuer) -> None:
    with open_verifier(server) as verifier:
        stream = begin(server, issuer)
        verifier.wait_ready(5)
        time.sleep(1.05)
        stream.end()
        ended = time.monotonic()
        server.next_stream()
        assert time.monotonic() - ended < 1.5


def test_being_denied_is_loud_and_slow(
    server: FakeServer, issuer: TestIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "ostiary"), open_verifier(server):
        server.next_stream().end(grpc.StatusCode.PERMISSION_DENIED)
        eventually(lambda: "refuses the revocation feed" in caplog.text)
        time.sleep(0.5)
        assert server.streams.empty()


def test_a_restarted_server_is_found_again(issuer: TestIssuer) -> None:
    first = FakeServer()
    with open_verifier(first) as verifier:
        begin(first, issuer, 2)
        verifier.wait_ready(5)
        first.stop()
        eventually(lambda: not verifier.stats().connected)
        with FakeServer(first.port) as second:
            assert second.next_stream().request.cursor == "c1.2"


def test_a_bearer_token_goes_with_the_feed(server: FakeServer) -> None:
    with open_verifier(server, credentials=ostiary.Credentials(bearer_token="abc")):
        assert server.next_stream().metadata["authorization"] == "Bearer abc"


class TestStale:
    """Without a feed that counts, the policy decides."""

    def test_ask_server_asks_and_its_verdict_counts(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        with open_verifier(server) as verifier:
            begin(server, issuer, as_of=time.time() - 60)
            eventually(lambda: verifier.stats().epoch == 1)
            token = issuer.token("acct_ada", scopes=["s"], roles=["r"])
            revision = "rev_000000010000000000000000"
            claims = verifier.verify(token, scopes=["s"], roles=["r"], min_revision=revision)
            assert claims.subject == "acct_ada"
            asked = server.asked[0]
            assert (asked.token, asked.audience, asked.any_audience) == (token, "api", False)
            assert asked.min_revision == revision
            server.reason = "TOKEN_REVOKED"
            assert refusal(verifier, token) == "TOKEN_REVOKED"
            assert verifier.stats().asks == {"OK": 1, "TOKEN_REVOKED": 1}

    def test_what_is_wrong_locally_is_not_asked_about(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        with open_verifier(server, leeway=0) as verifier:
            begin(server, issuer, 1, entries=[entry(session_id="gone")], as_of=time.time() - 60)
            eventually(lambda: verifier.stats().epoch == 1)
            assert refusal(verifier, issuer.token(session_id="gone")) == "TOKEN_REVOKED"
            assert refusal(verifier, issuer.token(lifetime=-5)) == "TOKEN_EXPIRED"
            assert refusal(verifier, issuer.token(), scopes=["s"]) == "SCOPE_MISSING"
            assert refusal(verifier, issuer.token(), roles=["r"]) == "ROLE_MISSING"
            assert server.asked == []

    def test_an_unknown_key_is_asked_about_before_the_first_key_set(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        with open_verifier(server) as verifier:
            assert verifier.verify(issuer.token("acct_ada")).subject == "acct_ada"
            assert len(server.asked) == 1

    def test_an_unknown_key_that_the_server_knows_must_still_be_of_our_issuer(
        self, server: FakeServer
    ) -> None:
        with open_verifier(server) as verifier:
            other = TestIssuer("http://other.test")
            assert refusal(verifier, other.token()) == "ISSUER_MISMATCH"

    def test_a_fresh_verifier_never_asks(self, server: FakeServer, issuer: TestIssuer) -> None:
        with open_verifier(server) as verifier:
            begin(server, issuer)
            verifier.wait_ready(5)
            assert refusal(verifier, TestIssuer(ISSUER).token()) == "KEY_UNKNOWN"
            assert server.asked == []

    def test_refuse_and_accept_do_what_they_say(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        with open_verifier(server) as verifier:
            token = issuer.token()
            assert refusal(verifier, token, policy="accept") == "CHECK_UNAVAILABLE"
            begin(server, issuer, as_of=time.time() - 60)
            eventually(lambda: verifier.stats().epoch == 1)
            assert refusal(verifier, token, policy="refuse") == "CHECK_UNAVAILABLE"
            verifier.verify(token, policy=ostiary.Policy.ACCEPT)
            ahead = "rev_000000010000000000000005"
            for policy in ("refuse", "accept"):
                demand = {"policy": policy, "min_revision": ahead}
                assert refusal(verifier, token, **demand) == "CHECK_UNAVAILABLE"
            assert server.asked == []

    def test_a_ticket_ahead_is_passed_on_to_the_server(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        with open_verifier(server) as verifier:
            begin(server, issuer)
            verifier.wait_ready(5)
            verifier.verify(issuer.token(), min_revision="rev_000000010000000000000005")
            assert server.asked[0].min_revision == "rev_000000010000000000000005"
            with pytest.raises(ValueError):
                verifier.verify(issuer.token(), min_revision="5")

    def test_no_answer_in_time_is_check_unavailable(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        server.answer_delay = 1
        with open_verifier(server, ask_timeout=0.1) as verifier:
            begun = time.monotonic()
            with pytest.raises(ostiary.CheckUnavailable):
                verifier.verify(issuer.token())
            assert time.monotonic() - begun < 0.95
            assert verifier.stats().asks == {"DEADLINE_EXCEEDED": 1}

    def test_five_failures_open_the_breaker_and_a_probe_closes_it(
        self, server: FakeServer, issuer: TestIssuer
    ) -> None:
        server.ask_code = grpc.StatusCode.UNAVAILABLE
        with open_verifier(server) as verifier:
            for _ in range(20):
                assert refusal(verifier, issuer.token()) == "CHECK_UNAVAILABLE"
            assert len(server.asked) == 5
            assert verifier.stats().breaker_open
            server.ask_code = None
            time.sleep(1.25)
            verifier.verify(issuer.token())
            assert not verifier.stats().breaker_open
