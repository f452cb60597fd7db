"""The feed's rules without a network, and with clocks that obey."""

from __future__ import annotations

import math
from typing import Any, Optional

import pytest
from fake_clock import START, FakeClock
from fake_server import delta, heartbeat, key_set, snapshot

from ostiary._claims import Claims
from ostiary._decision import Decider
from ostiary._knowledge import Abandon, Knowledge, Position
from ostiary._settings import Settings
from ostiary.errors import RevisionLost
from ostiary.testing import TestIssuer
from ostiary.v1.revocation_service_pb2 import RevocationEntry, WatchResponse


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def knowledge(clock: FakeClock) -> Knowledge:
    return Knowledge(clock=clock)


def entry(forget_in: Optional[float] = 600, **target: Any) -> RevocationEntry:
    made = RevocationEntry(**target)
    if forget_in is not None:
        made.forget_time.FromNanoseconds(int((START + forget_in) * 1e9))
    return made


def claims(**named: Any) -> Claims:
    known: dict[str, Any] = {
        "issuer": "i",
        "subject": "acct_1",
        "audiences": ("api",),
        "client_id": "cli_1",
        "session_id": "sess_1",
        "token_id": "jti_1",
        "issued_at": START,
        "expires_at": START + 900,
    }
    return Claims(**{**known, **named})


class TestStaleness:
    def test_infinite_before_a_complete_snapshot(self, knowledge: Knowledge) -> None:
        assert math.isinf(knowledge.staleness())
        knowledge.apply(snapshot(1, last=False))
        assert math.isinf(knowledge.staleness())
        knowledge.apply(snapshot(1, as_of=START))
        assert knowledge.staleness() == 0

    def test_the_clock_that_says_more_counts(self, knowledge: Knowledge, clock: FakeClock) -> None:
        knowledge.apply(snapshot(1, as_of=START - 3))
        assert knowledge.staleness() == 3
        clock.wall_now -= 100  # set back
        clock.monotonic_now += 5
        assert knowledge.staleness() == 5
        clock.wall_now += 200
        assert knowledge.staleness() == 103

    def test_as_of_never_moves_back(self, knowledge: Knowledge, clock: FakeClock) -> None:
        knowledge.apply(snapshot(1, as_of=START))
        clock.pass_by(4)
        assert not knowledge.apply(heartbeat(1, as_of=START - 1))
        assert not knowledge.apply(heartbeat(1, as_of=START))
        assert knowledge.staleness() == 4
        assert knowledge.apply(heartbeat(1, as_of=START + 4))
        assert knowledge.staleness() == 0

    def test_a_duplicate_does_not_count(self, knowledge: Knowledge, clock: FakeClock) -> None:
        knowledge.apply(snapshot(5, as_of=START))
        clock.pass_by(4)
        assert not knowledge.apply(delta(3, 5, as_of=START + 4))
        assert knowledge.staleness() == 4

    def test_a_delta_without_as_of_moves_only_the_position(
        self, knowledge: Knowledge, clock: FakeClock
    ) -> None:
        knowledge.apply(snapshot(5, as_of=START))
        frame = delta(5, 6)
        frame.delta.ClearField("as_of")
        clock.pass_by(4)
        assert not knowledge.apply(frame)
        assert knowledge.position == Position(1, 6)
        assert knowledge.staleness() == 4


class TestAbandoned:
    @pytest.mark.parametrize(
        "frame",
        [
            delta(6, 7),
            delta(4, 6),
            delta(5, 4),
            delta(5, 6, epoch=2),
            WatchResponse(),
            delta(5, 6, [RevocationEntry()]),
        ],
        ids=["gap", "overlap", "backwards", "epoch", "unknown frame", "unknown entry"],
    )
    def test_what_does_not_fit_moves_nothing(
        self, knowledge: Knowledge, frame: WatchResponse
    ) -> None:
        knowledge.apply(snapshot(5, as_of=START))
        with pytest.raises(Abandon):
            knowledge.apply(frame)
        assert (knowledge.position, knowledge.cursor) == (Position(1, 5), "c1.5")

    def test_a_delta_before_any_snapshot(self, knowledge: Knowledge) -> None:
        with pytest.raises(Abandon):
            knowledge.apply(delta(0, 1))

    def test_two_keys_of_one_kid(self, knowledge: Knowledge) -> None:
        jwk = TestIssuer().jwks()["keys"][0]
        with pytest.raises(Abandon):
            knowledge.apply(key_set(jwk, jwk))

    def test_a_broken_fingerprint_set(self, knowledge: Knowledge) -> None:
        frame = snapshot(1)
        frame.snapshot.fingerprint_sets.add(count=3, low_bits=50, lows=b"1", highs=b"1")
        with pytest.raises(Abandon):
            knowledge.apply(frame)
        assert not knowledge.complete


class TestHits:
    @pytest.mark.parametrize(
        ("target", "hit", "missed"),
        [
            ({"token_id": "jti_1"}, {}, {"token_id": "jti_2"}),
            ({"session_id": "sess_1"}, {}, {"session_id": "sess_2"}),
            # A token and a session of the same name are two things.
            ({"token_id": "x"}, {"token_id": "x"}, {"session_id": "x"}),
            (
                {"account": {"account_id": "acct_1", "min_generation": 5}},
                {"generation": 4},
                {"generation": 5},
            ),
            (
                {"account": {"account_id": "acct_1", "min_generation": 1}},
                {"generation": None},
                {"subject": "acct_2", "generation": None},
            ),
            (
                {"client": {"client_id": "cli_1", "issued_before": {"seconds": int(START)}}},
                {},
                {"issued_at": START + 1},
            ),
            (
                {"client": {"client_id": "cli_1", "issued_before": {"seconds": int(START)}}},
                {"issued_at": START - 1},
                {"client_id": "cli_2"},
            ),
            (
                {"all": {"issued_before": {"seconds": int(START)}}},
                {"subject": "whoever"},
                {"issued_at": START + 1},
            ),
        ],
    )
    def test_each_kind(
        self,
        knowledge: Knowledge,
        target: dict[str, Any],
        hit: dict[str, Any],
        missed: dict[str, Any],
    ) -> None:
        knowledge.apply(snapshot(0, [entry(**target)]))
        assert knowledge.revoked.hits(claims(**hit), "k")
        assert not knowledge.revoked.hits(claims(**missed), "k")

    def test_a_key(self, knowledge: Knowledge) -> None:
        knowledge.apply(snapshot(0, [entry(key_id="k1")]))
        assert knowledge.revoked.hits(claims(), "k1")
        assert not knowledge.revoked.hits(claims(), "k2")

    def test_entries_only_add_up(self, knowledge: Knowledge) -> None:
        def account(generation: int) -> RevocationEntry:
            named = {"account_id": "acct_1", "min_generation": generation}
            return entry(account=named)

        knowledge.apply(snapshot(0, [account(7)]))
        knowledge.apply(delta(0, 1, [account(3)]))
        assert knowledge.revoked.hits(claims(generation=6), "k")


class TestForgetting:
    def test_only_when_both_clocks_have_passed_it(
        self, knowledge: Knowledge, clock: FakeClock
    ) -> None:
        entries = [
            entry(600, session_id="sess_1"),
            entry(600, account={"account_id": "a", "min_generation": 1}),
            entry(600, client={"client_id": "c", "issued_before": {"seconds": 1}}),
            entry(600, all={"issued_before": {"seconds": 1}}),
            entry(None, key_id="k"),
        ]
        knowledge.apply(snapshot(0, entries, as_of=START))
        assert len(knowledge.revoked) == 5
        clock.pass_by(2000)
        knowledge.apply(heartbeat(0, as_of=START + 100))
        clock.pass_by(61)
        knowledge.apply(heartbeat(0, as_of=START + 101))
        assert len(knowledge.revoked) == 5
        knowledge.apply(heartbeat(0, as_of=START + 2000))
        clock.pass_by(61)
        knowledge.apply(heartbeat(0, as_of=START + 2001))
        assert len(knowledge.revoked) == 1
        assert knowledge.revoked.hits(claims(), "k")

    def test_what_has_no_forget_time_stays(self, knowledge: Knowledge, clock: FakeClock) -> None:
        knowledge.apply(snapshot(0, [entry(None, session_id="sess_1")], as_of=START))
        clock.pass_by(10**7)
        knowledge.apply(heartbeat(0, as_of=START + 10**7))
        assert knowledge.revoked.hits(claims(), "k")


class TestTickets:
    def test_they_compare_within_an_epoch(self, knowledge: Knowledge) -> None:
        knowledge.apply(snapshot(5))
        assert knowledge.has_reached(Position(1, 5))
        assert not knowledge.has_reached(Position(1, 6))
        assert not knowledge.has_reached(Position(2, 0))

    def test_one_of_a_past_epoch(self, knowledge: Knowledge) -> None:
        knowledge.apply(snapshot(5))
        knowledge.apply(snapshot(2, epoch=2))
        assert knowledge.has_reached(Position(1, 5))
        with pytest.raises(RevisionLost):
            knowledge.has_reached(Position(1, 6))

    def test_their_text(self) -> None:
        position = Position(0xAB, 0x1234)
        assert position.to_revision() == "rev_000000ab0000000000001234"
        assert Position.of_revision(position.to_revision()) == position
        for text in ("", "rev_", "rev_" + "0" * 23, "rev_" + "0" * 25, "rev_" + "G" * 24):
            with pytest.raises(ValueError):
                Position.of_revision(text)


class TestKeys:
    def test_a_key_set_replaces_and_takes_the_tokens_of_withdrawn_keys_out(
        self, clock: FakeClock
    ) -> None:
        issuer = TestIssuer(algorithm="EdDSA")
        first = issuer.jwks()["keys"][0]
        token = issuer.token(issued_at=START)
        settings = Settings(target="t", issuer=issuer.issuer)
        decider = Decider(settings, Knowledge(clock=clock))
        decider.knowledge.apply(key_set(first))
        decider.knowledge.apply(snapshot(0, as_of=START))
        demand = decider.demand()
        decider.decide(token, demand)
        decider.decide(token, demand)
        assert (decider.cache.hits, decider.cache.misses) == (1, 1)

        issuer.rotate_key()
        both = issuer.jwks()["keys"]
        decider.knowledge.apply(key_set(*both))
        decider.decide(token, demand)
        assert decider.cache.hits == 2

        # Another key under the old name: what was checked under it counts no more.
        decider.knowledge.apply(key_set({**both[1], "kid": first["kid"]}))
        with pytest.raises(Exception, match="SIGNATURE_INVALID"):
            decider.decide(token, demand)
        decider.knowledge.apply(key_set(both[1]))
        with pytest.raises(Exception, match="KEY_UNKNOWN"):
            decider.decide(token, demand)
        decider.cache.keep_only(decider.knowledge.keys)
        assert not decider.cache._tokens

    def test_keys_that_cannot_be_used_blind_nobody(self, knowledge: Knowledge) -> None:
        good = TestIssuer().jwks()["keys"][0]
        knowledge.apply(key_set({"kty": "EC", "alg": "ES999", "kid": "odd"}, good))
        assert [key.kid for key in knowledge.keys.keys] == [good["kid"]]
