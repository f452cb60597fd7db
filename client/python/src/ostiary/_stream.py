"""One stream of the feed at a time, as both verifiers follow it. Pure."""

from __future__ import annotations

import logging
from typing import Optional

import grpc

from ._decision import Decider
from ._knowledge import Abandon
from ._pace import Comeback
from .v1.revocation_service_pb2 import WatchRequest, WatchResponse

_log = logging.getLogger("ostiary")
_DENIED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


class StreamLog:
    """What has happened to the stream, and what follows from it."""

    def __init__(self, decider: Decider, comeback: Optional[Comeback] = None) -> None:
        self._decider = decider
        self._comeback = comeback or Comeback()
        self._now = decider.knowledge.clock.monotonic
        self._silence = decider.settings.silence_seconds
        self._opened_at = 0.0
        self._last_frame_at = 0.0
        self._frames = 0
        self._progress = False
        self.connected = False
        self.reconnects = -1

    def opening(self) -> WatchRequest:
        """A stream is about to be opened; what to ask for."""
        self._opened_at = self._last_frame_at = self._now()
        self._frames = 0
        self._progress = False
        self.reconnects += 1
        return WatchRequest(cursor=self._decider.knowledge.cursor, compact=True)

    def frame(self, frame: WatchResponse) -> None:
        """Takes a frame in. Raises Abandon."""
        self._last_frame_at = self._now()
        self._frames += 1
        self.connected = True
        try:
            if self._decider.knowledge.apply(frame):
                self._progress = True
        except Abandon as abandon:
            _log.warning("the revocation feed is abandoned and resumed: %s", abandon)
            raise
        finally:
            # A large frame takes a while to apply; that is not silence.
            self._last_frame_at = self._now()
        if frame.WhichOneof("frame") == "key_set":
            self._decider.cache.keep_only(self._decider.knowledge.keys)

    def silent_in(self) -> float:
        """Seconds until the stream counts as half-open; not above 0: it does."""
        return self._last_frame_at + self._silence - self._now()

    def ended(self, code: Optional[grpc.StatusCode], *, abandoned: bool = False) -> float:
        """The stream is over; how many seconds to wait before the next."""
        self.connected = False
        denied = code in _DENIED
        if denied:
            _log.error("Ostiary refuses the revocation feed to this service: %s", code)
        calm = code in (None, grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)
        return self._comeback.after(
            orderly=calm and not abandoned and self._frames > 0,
            denied=denied,
            progress=self._progress,
            lasted=self._now() - self._opened_at,
        )
