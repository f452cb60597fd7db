"""How often to try: coming again to the feed, and asking the server. Pure."""

from __future__ import annotations

import random
import threading
from typing import Callable

_MAX_DELAY_SECONDS = 10.0
_DENIED_SECONDS = 10.0
_ORDERLY_SECONDS = 1.0

MAX_ASKS_UNDER_WAY = 16
_FAILURES_TO_OPEN = 5
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

Random = Callable[[], float]


def silence_bound(staleness_bound: float) -> float:
    """After how many seconds without a frame a stream is half-open."""
    return max(2.0, min(5.0, staleness_bound / 2))


class Comeback:
    """How long to wait before the feed is opened again."""

    def __init__(self, uniform: Random = random.random) -> None:
        self._uniform = uniform
        self._attempt = 0

    def after(self, *, orderly: bool, denied: bool, progress: bool, lasted: float) -> float:
        """Seconds.

        `orderly`: UNAVAILABLE or OK after frames have flowed. `progress`: the
        stream has moved `as_of`. A server that ends every stream at once gets
        the backoff however orderly it does so.
        """
        if denied:
            return _DENIED_SECONDS
        if progress:
            self._attempt = 0
        if orderly and lasted >= _ORDERLY_SECONDS:
            return 0.0
        ceiling = min(_MAX_DELAY_SECONDS, 0.1 * 2.0 ** min(self._attempt, 10))
        self._attempt += 1
        return self._uniform() * ceiling


class Breaker:
    """Who may ask the server now. Thread-safe.

    A feed outage must not become a stampede: at most MAX_ASKS_UNDER_WAY at
    once, and after five failures in a row none for a while, then one to probe.
    """

    def __init__(self, uniform: Random = random.random) -> None:
        self._uniform = uniform
        self._lock = threading.Lock()
        self._under_way = 0
        self._failures = 0
        self._open_until: float | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._probing = False

    @property
    def open(self) -> bool:
        return self._open_until is not None

    def admit(self, now: float) -> bool:
        """True: ask, and call `done` whatever comes of it."""
        with self._lock:
            if self._under_way >= MAX_ASKS_UNDER_WAY:
                return False
            if self._open_until is not None:
                if self._probing or now < self._open_until:
                    return False
                self._probing = True
            self._under_way += 1
            return True

    def done(self, now: float, *, answered: bool) -> None:
        with self._lock:
            self._under_way -= 1
            if answered:
                self._failures = 0
                self._open_until, self._probing = None, False
                self._pause = _FIRST_PAUSE_SECONDS
                return
            self._failures += 1
            if self._probing:
                self._open(now)
            elif self._open_until is None and self._failures >= _FAILURES_TO_OPEN:
                self._open(now)

    def withdrawn(self) -> None:
        """Instead of `done`: the caller went away; nothing was learnt."""
        with self._lock:
            self._under_way -= 1
            self._probing = False

    def _open(self, now: float) -> None:
        self._probing = False
        self._open_until = now + self._pause * (1 + 0.2 * self._uniform())
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
