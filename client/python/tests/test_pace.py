"""How often it is tried."""

from __future__ import annotations

import pytest

from ostiary._pace import MAX_ASKS_UNDER_WAY, Breaker, Comeback, silence_bound


@pytest.mark.parametrize(
    ("bound", "silence"), [(10, 5), (60, 5), (8, 4), (4, 2), (1, 2), (0.1, 2)]
)
def test_silence_is_half_of_the_bound(bound: float, silence: float) -> None:
    assert silence_bound(bound) == silence


class TestComeback:
    def test_it_waits_longer_and_longer_up_to_ten_seconds(self) -> None:
        comeback = Comeback(uniform=lambda: 1.0)
        waits = [
            comeback.after(orderly=False, denied=False, progress=False, lasted=0)
            for _ in range(10)
        ]
        assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
        assert waits[-1] == 10

    def test_it_is_random_from_0_on(self) -> None:
        comeback = Comeback(uniform=lambda: 0.0)
        assert comeback.after(orderly=False, denied=False, progress=False, lasted=0) == 0

    def test_an_orderly_end_is_followed_at_once(self) -> None:
        comeback = Comeback(uniform=lambda: 1.0)
        assert comeback.after(orderly=True, denied=False, progress=True, lasted=60) == 0

    def test_a_server_that_ends_every_stream_at_once_is_not_hammered(self) -> None:
        comeback = Comeback(uniform=lambda: 1.0)
        waits = [
            comeback.after(orderly=True, denied=False, progress=False, lasted=0.01)
            for _ in range(4)
        ]
        assert waits == [0.1, 0.2, 0.4, 0.8]

    def test_progress_begins_anew(self) -> None:
        comeback = Comeback(uniform=lambda: 1.0)
        for _ in range(5):
            comeback.after(orderly=False, denied=False, progress=False, lasted=0)
        assert comeback.after(orderly=False, denied=False, progress=True, lasted=9) == 0.1

    def test_who_is_denied_waits_ten_seconds(self) -> None:
        comeback = Comeback()
        assert comeback.after(orderly=True, denied=True, progress=True, lasted=60) == 10


class TestBreaker:
    def fail(self, breaker: Breaker, now: float, times: int = 1) -> None:
        for _ in range(times):
            assert breaker.admit(now)
            breaker.done(now, answered=False)

    def test_five_failures_in_a_row_open_it_for_a_second(self) -> None:
        breaker = Breaker(uniform=lambda: 0.0)
        self.fail(breaker, 0, 4)
        assert breaker.admit(0)
        breaker.done(0, answered=True)
        self.fail(breaker, 0, 5)
        assert breaker.open
        assert not breaker.admit(0.99)
        assert breaker.admit(1.0)
        assert not breaker.admit(1.0)  # one to probe
        breaker.done(1.0, answered=True)
        assert not breaker.open
        assert breaker.admit(1.0)

    def test_it_stays_open_longer_and_longer_up_to_30_s(self) -> None:
        breaker = Breaker(uniform=lambda: 0.0)
        self.fail(breaker, 0, 5)
        now = 0.0
        for pause in (1, 2, 4, 8, 16, 30, 30):
            assert not breaker.admit(now + pause - 0.01)
            now += pause
            self.fail(breaker, now)

    def test_up_to_a_fifth_of_jitter(self) -> None:
        breaker = Breaker(uniform=lambda: 1.0)
        self.fail(breaker, 0, 5)
        assert not breaker.admit(1.19)
        assert breaker.admit(1.2)

    def test_no_more_than_sixteen_at_once(self) -> None:
        breaker = Breaker()
        assert all(breaker.admit(0) for _ in range(MAX_ASKS_UNDER_WAY))
        assert not breaker.admit(0)
        breaker.done(0, answered=True)
        assert breaker.admit(0)

    def test_a_probe_that_is_withdrawn_makes_way(self) -> None:
        breaker = Breaker(uniform=lambda: 0.0)
        self.fail(breaker, 0, 5)
        assert breaker.admit(1)
        breaker.withdrawn()
        assert breaker.open
        assert breaker.admit(1)
