"""One who watches RevocationService.Watch, as docs/verifiers.md says."""

import threading
import time

from doors import Refused

METHOD = "RevocationService/Watch"


def is_about(entry, kind, name):
    """Whether an entry of the feed is about this token, account, ..."""
    if entry.WhichOneof("target") != kind:
        return False
    if kind == "account":
        return entry.account.account_id == name
    if kind == "client":
        return entry.client.client_id == name
    return kind == "all" or getattr(entry, kind) == name


class Watcher:
    """Follows the feed on a thread of its own until it is closed."""

    def __init__(self, door, cursor="", compact=False, **named):
        self.changed = threading.Condition()
        self.entries = []  # (when it came, RevocationEntry)
        self.fingerprints = 0  # entries in short form
        self.frames = []  # their kinds
        self.position = None  # (epoch, sequence)
        self.cursor = cursor
        self.keys = None
        self.as_of = None
        self.broken = []  # promises that were not kept
        self.ended = None  # the Refused that ended it
        self.closed = False
        self.stream = door.stream(METHOD, {"cursor": cursor,
                                           "compact": compact},
                                  timeout=120, **named)
        if cursor:
            self.position = (int(cursor[4:12], 16), int(cursor[12:28], 16))
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self):
        try:
            for frame in self.stream:
                with self.changed:
                    self._apply(frame, time.monotonic())
                    self.changed.notify_all()
                    if self.closed:
                        break
        except Refused as refused:
            self.ended = refused
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _apply(self, frame, now):
        kind = frame.WhichOneof("frame")
        if not self.frames and kind != "key_set":
            self.broken.append("the keys come first")
        self.frames.append(kind)
        if kind == "key_set":
            self.keys = {key.kid for key in frame.key_set.keys}
            return
        body = getattr(frame, kind)
        if kind == "delta":
            if self.position != (body.epoch, getattr(body, "from")):
                self.broken.append(f"a gap: {self.position} then {body}")
            self.position = (body.epoch, body.to)
        if kind == "heartbeat" and self.position != (body.epoch,
                                                     body.sequence):
            self.broken.append(f"a heartbeat about {body} at {self.position}")
        if kind in ("snapshot", "delta"):
            self.entries += [(now, entry) for entry in body.entries]
        if kind == "snapshot":
            self.fingerprints += sum(s.count for s in body.fingerprint_sets)
            if not body.last:
                return
            self.position = (body.epoch, body.sequence)
        self.cursor = body.cursor
        self.as_of = body.as_of.ToDatetime().timestamp()

    def wait(self, condition, seconds=10):
        """True once it holds; False if it did not in time."""
        end = time.monotonic() + seconds
        with self.changed:
            while not condition() and not self.closed:
                if not self.changed.wait(max(0, end - time.monotonic())):
                    break
            return condition()

    def find(self, kind, name=None):
        return [(when, entry) for when, entry in self.entries
                if is_about(entry, kind, name)]

    def is_settled(self):
        """Stands where the feed stood when it came; what was committed a
        moment before may be on its way."""
        return "heartbeat" in self.frames

    def settled(self):
        assert self.wait(self.is_settled), (self.frames, self.ended)
        return self

    def has(self, kind, name=None, seconds=10):
        return self.wait(lambda: self.find(kind, name), seconds)

    def close(self):
        """Ends the stream; fails if the feed broke a promise."""
        with self.changed:
            self.closed = True
        # Its own thread ends it with the next heartbeat.
        self.thread.join(10)
        assert not self.broken, self.broken
