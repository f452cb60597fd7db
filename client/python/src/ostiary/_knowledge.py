"""What one verifier knows from the feed, and how fresh that is.

The rules of docs/verifiers.md, "The feed", without any I/O: whoever holds the
stream hands every frame to `apply` and does what it answers.
"""

from __future__ import annotations

import math
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from ._keys import KeySet
from ._revoked import RevokedSet, seconds_of
from .errors import RevisionLost
from .v1.revocation_service_pb2 import (
    RevocationDelta,
    RevocationHeartbeat,
    RevocationKeySet,
    RevocationSnapshot,
    WatchResponse,
)

_REVISION = re.compile("rev_([0-9a-f]{8})([0-9a-f]{16})")
_FORGET_EVERY_SECONDS = 60


class Clock:
    """The two clocks. Tests have their own."""

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True)
class Position:
    """How far the feed has been followed."""

    epoch: int
    sequence: int

    @classmethod
    def of_revision(cls, revision: str) -> Position:
        """ValueError if the text is no ticket."""
        found = _REVISION.fullmatch(revision)
        if found is None:
            raise ValueError("a revision is rev_ and 24 hexadecimal digits")
        return cls(int(found[1], 16), int(found[2], 16))

    def to_revision(self) -> str:
        return f"rev_{self.epoch:08x}{self.sequence:016x}"


class Abandon(Exception):
    """The stream cannot be followed further; resume from the own cursor."""


@dataclass
class Knowledge:
    """Keys, revocations, position and freshness.

    Frames are applied by one thread at a time; everything else may be called
    by any thread meanwhile.
    """

    clock: Clock = field(default_factory=Clock)
    keys: KeySet = field(default_factory=KeySet)
    revoked: RevokedSet = field(default_factory=RevokedSet)
    cursor: str = ""
    position: Optional[Position] = None
    #: Every revocation acknowledged before this time is known. Moves only on.
    as_of: float = -math.inf
    #: The furthest sequence reached in each epoch.
    reached: dict[int, int] = field(default_factory=dict)
    has_keys: bool = False
    #: Called, by the thread that applies, whenever something has been applied.
    listeners: list[Callable[[], None]] = field(default_factory=list)
    #: Held while frames are applied and while everything is copied.
    lock: threading.RLock = field(default_factory=threading.RLock)

    _as_of_arrival: float = -math.inf
    _last_forgetting: float = -math.inf

    @property
    def complete(self) -> bool:
        """True once a whole snapshot is in."""
        return self.position is not None

    def staleness(self) -> float:
        """Seconds; infinite before the first complete snapshot. By the wall
        clock or the monotonic one, whichever says more: neither a clock that
        was set back nor a frame that was long under way makes it look fresh."""
        by_wall = self.clock.wall() - self.as_of
        by_monotonic = self.clock.monotonic() - self._as_of_arrival
        return max(by_wall, by_monotonic, 0.0) if self.complete else math.inf

    def apply(self, frame: WatchResponse) -> bool:
        """Takes one frame in; true if it moved `as_of`. Raises Abandon."""
        kind = frame.WhichOneof("frame")
        try:
            with self.lock:
                if kind == "key_set":
                    moved = self._apply_key_set(frame.key_set)
                elif kind == "snapshot":
                    moved = self._apply_snapshot(frame.snapshot)
                elif kind == "delta":
                    moved = self._apply_delta(frame.delta)
                elif kind == "heartbeat":
                    moved = self._apply_heartbeat(frame.heartbeat)
                else:
                    # It may be newer than this library and carry revocations.
                    raise Abandon("a frame of an unknown kind")
        except ValueError as error:
            raise Abandon(str(error)) from error
        self.tell_listeners()
        return moved

    def tell_listeners(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    def _apply_key_set(self, key_set: RevocationKeySet) -> bool:
        jwks = [{field.name: value for field, value in key.ListFields()} for key in key_set.keys]
        self.keys = KeySet.from_jwks(jwks, known=self.keys)
        self.has_keys = True
        return False

    def _apply_snapshot(self, part: RevocationSnapshot) -> bool:
        self.revoked.merge(part.entries, part.fingerprint_sets)
        if not part.last:
            return False
        self._move(Position(part.epoch, part.sequence), part.cursor)
        return self._freshen(seconds_of(part.as_of))

    def _apply_delta(self, delta: RevocationDelta) -> bool:
        here = self.position
        if here is None or delta.epoch != here.epoch:
            raise Abandon("a delta of another epoch")
        begin, end = getattr(delta, "from"), delta.to
        if begin != here.sequence:
            if begin <= end <= here.sequence:
                return False  # a duplicate
            raise Abandon("a gap in the feed")
        if end < begin:
            raise Abandon("a delta that goes backwards")
        self.revoked.merge(delta.entries)
        self._move(Position(delta.epoch, end), delta.cursor)
        return self._freshen(seconds_of(delta.as_of))

    def _apply_heartbeat(self, heartbeat: RevocationHeartbeat) -> bool:
        if self.position != Position(heartbeat.epoch, heartbeat.sequence):
            return False
        self.cursor = heartbeat.cursor
        return self._freshen(seconds_of(heartbeat.as_of))

    def _move(self, position: Position, cursor: str) -> None:
        # Only after the entries are in: whoever sees the position counts on them.
        self.position, self.cursor = position, cursor
        before = self.reached.get(position.epoch, 0)
        self.reached[position.epoch] = max(before, position.sequence)

    def _freshen(self, as_of: float) -> bool:
        self._forget_now_and_then()
        if as_of <= self.as_of:
            return False
        self._as_of_arrival = self.clock.monotonic()
        self.as_of = as_of
        return True

    def _forget_now_and_then(self) -> None:
        now = self.clock.monotonic()
        if now - self._last_forgetting >= _FORGET_EVERY_SECONDS:
            self._last_forgetting = now
            self.revoked.forget(min(self.clock.wall(), self.as_of))

    def remember(self, position: Position, cursor: str, as_of: float) -> None:
        """Starts from what an earlier process knew. Its revocations have been
        merged and its keys set. It is as stale as it is old."""
        self._move(position, cursor)
        age = self.clock.wall() - as_of
        # One from the future says that a clock is wrong: not to be trusted.
        self._as_of_arrival = self.clock.monotonic() - age if age >= 0 else -math.inf
        self.as_of = as_of if age >= 0 else -math.inf
        self.has_keys = True

    def has_reached(self, wanted: Position) -> bool:
        """Raises RevisionLost for a past epoch that ended without it."""
        if self.reached.get(wanted.epoch, -1) >= wanted.sequence:
            return True
        here = self.position
        if here is not None and wanted.epoch < here.epoch:
            raise RevisionLost()
        return False
