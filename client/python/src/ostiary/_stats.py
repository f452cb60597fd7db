"""What can be watched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ._decision import Decider
from ._knowledge import Position


@dataclass(frozen=True)
class Stats:
    """A verifier at one moment. Counters count since it was made."""

    #: Infinite before the first complete snapshot.
    staleness_seconds: float
    #: Revocations held.
    entries: int
    epoch: int
    sequence: int
    connected: bool
    #: By outcome: "OK" or a reason.
    checks: Mapping[str, int]
    #: By outcome: "OK", a reason, a gRPC code, or "NOT_ASKED".
    asks: Mapping[str, int]
    breaker_open: bool
    reconnects: int
    cache_hits: int
    cache_misses: int

    @property
    def asked(self) -> int:
        """How many asks were sent to the server."""
        return sum(count for outcome, count in self.asks.items() if outcome != "NOT_ASKED")


def stats_of(decider: Decider, *, connected: bool, reconnects: int) -> Stats:
    knowledge = decider.knowledge
    here = knowledge.position or Position(0, 0)
    staleness = knowledge.staleness()
    return Stats(
        staleness_seconds=staleness if math.isfinite(staleness) else math.inf,
        entries=len(knowledge.revoked),
        epoch=here.epoch,
        sequence=here.sequence,
        connected=connected,
        checks=decider.checks,
        asks=decider.asks,
        breaker_open=decider.breaker.open,
        reconnects=reconnects,
        cache_hits=decider.cache.hits,
        cache_misses=decider.cache.misses,
    )
