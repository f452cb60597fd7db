from __future__ import annotations

from ostiary._knowledge import Clock

START = 1_800_000_000.0


class FakeClock(Clock):
    """Both clocks stand still until told otherwise."""

    def __init__(self) -> None:
        self.wall_now = START
        self.monotonic_now = 1000.0

    def wall(self) -> float:
        return self.wall_now

    def monotonic(self) -> float:
        return self.monotonic_now

    def pass_by(self, seconds: float) -> None:
        self.wall_now += seconds
        self.monotonic_now += seconds
