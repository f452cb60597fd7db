"""The verifier for threads."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection
from typing import Any, Optional, Union

import grpc

from ._claims import Claims
from ._decision import Ask, Decider
from ._keys import ALGORITHMS
from ._knowledge import Abandon, Knowledge, Position
from ._settings import CHANNEL_OPTIONS, Audience, Credentials, Policy, Settings
from ._state_file import EVERY_SECONDS, read_state, write_state
from ._stats import Stats, stats_of
from ._stream import StreamLog
from .v1.revocation_service_pb2_grpc import RevocationServiceStub
from .v1.token_service_pb2_grpc import TokenServiceStub

_log = logging.getLogger("ostiary")
_TICK_SECONDS = 0.25


def open_channel(settings: Settings) -> grpc.Channel:
    credentials = settings.credentials.channel_credentials()
    if credentials is None:
        return grpc.insecure_channel(settings.target, CHANNEL_OPTIONS)
    return grpc.secure_channel(settings.target, credentials, CHANNEL_OPTIONS)


def call_outcome(error: grpc.RpcError) -> grpc.StatusCode:
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


class Verifier:
    """Checks access tokens of one issuer without a call per check.

    A thread in the background follows the revocation feed. Thread-safe. Make
    it after forking (in a worker, not in the process that starts workers), and
    close it: it is a context manager.
    """

    _feed: Optional[_Feed]

    def __init__(
        self,
        target: str,
        *,
        issuer: str,
        audience: Audience = "api",
        leeway: float = 60.0,
        algorithms: Collection[str] = ALGORITHMS,
        staleness_bound: float = 10.0,
        policy: Union[Policy, str] = Policy.ASK_SERVER,
        ask_timeout: float = 1.0,
        cache_size: int = 10_000,
        state_file: Optional[Union[str, os.PathLike[str]]] = None,
        credentials: Optional[Credentials] = None,
        silence: Optional[float] = None,
    ) -> None:
        """`target`: where Ostiary's gRPC listens, ``host:port`` or ``unix:PATH``.
        Times in seconds. docs/verifiers.md tells what each setting means."""
        settings = Settings(
            target=target,
            issuer=issuer,
            audience=audience,
            leeway=leeway,
            algorithms=tuple(algorithms),
            staleness_bound=staleness_bound,
            policy=Policy(policy),
            ask_timeout=ask_timeout,
            cache_size=cache_size,
            state_file=state_file,
            credentials=credentials or Credentials(),
            silence=silence,
        )
        self._build(Decider(settings, Knowledge()))
        if settings.state_file is not None:
            read_state(settings.state_file, settings.issuer, self._decider.knowledge)
        self._feed = _Feed(self._decider)

    @classmethod
    def _without_feed(cls, decider: Decider) -> Verifier:
        """For test issuers: whoever made `decider` keeps its knowledge fresh."""
        verifier = cls.__new__(cls)
        verifier._build(decider)
        return verifier

    def _build(self, decider: Decider) -> None:
        self._decider = decider
        self._feed = None
        self._changed = threading.Condition()
        decider.knowledge.listeners.append(self._tell_waiters)

    def verify(
        self,
        token: str,
        *,
        audience: Optional[Audience] = None,
        scopes: Collection[str] = (),
        roles: Collection[str] = (),
        policy: Optional[Union[Policy, str]] = None,
        min_revision: str = "",
    ) -> Claims:
        """The claims of `token`, if it is good for all that is asked.

        `scopes`, `roles`: the token must carry all of them. `min_revision`: a
        ticket from Revoke that the answer must take into account. Raises
        TokenError; its subclass CheckUnavailable if nobody knows now.
        """
        demand = self._decider.demand(
            audience=audience,
            scopes=scopes,
            roles=roles,
            policy=policy,
            min_revision=min_revision,
        )
        verdict = self._decider.decide(token, demand)
        return verdict if isinstance(verdict, Claims) else self._ask(verdict)

    def wait_ready(self, timeout: float = 10.0) -> None:
        """Returns once a complete snapshot is in and the knowledge is within
        the bound. Raises TimeoutError."""
        knowledge, bound = self._decider.knowledge, self._decider.settings.staleness_bound
        self._wait(lambda: knowledge.staleness() <= bound, timeout)

    def wait_for(self, revision: str, timeout: float = 10.0) -> None:
        """Returns once every revocation up to the ticket is known here. Raises
        TimeoutError, RevisionLost, or ValueError if it is no ticket."""
        wanted = Position.of_revision(revision)
        self._wait(lambda: self._decider.knowledge.has_reached(wanted), timeout)

    def stats(self) -> Stats:
        connected = self._feed.log.connected if self._feed is not None else True
        reconnects = max(self._feed.log.reconnects, 0) if self._feed is not None else 0
        return stats_of(self._decider, connected=connected, reconnects=reconnects)

    def close(self) -> None:
        """Ends the feed. What is checked afterwards is as stale as it gets."""
        if self._feed is not None:
            self._feed.close()

    def __enter__(self) -> Verifier:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _ask(self, ask: Ask) -> Claims:
        if self._feed is None:
            raise self._decider.failed("UNAVAILABLE")
        settings = self._decider.settings
        try:
            response = TokenServiceStub(self._feed.channel).Verify(
                ask.request(),
                timeout=settings.ask_timeout,
                metadata=settings.credentials.metadata(),
            )
        except grpc.RpcError as error:
            raise self._decider.failed(call_outcome(error).name) from None
        except ValueError:  # the channel was closed meanwhile
            raise self._decider.failed("CANCELLED") from None
        except BaseException:
            self._decider.withdrawn()
            raise
        return self._decider.answered(ask, response)

    def _wait(self, done: Any, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        with self._changed:
            while not done():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)

    def _tell_waiters(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _Feed:
    """Two threads: one reads the stream, one watches that it is not silent."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._settings = decider.settings
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._call: Optional[Any] = None
        self._half_open = False
        self._retired: list[tuple[float, grpc.Channel]] = []
        self.log = StreamLog(decider)
        self.channel = open_channel(self._settings)
        self._threads = [
            threading.Thread(target=self._follow, name="ostiary-feed", daemon=True),
            threading.Thread(target=self._watch_over, name="ostiary-feed-watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._cancel()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(5)
        for _, channel in self._retired:
            channel.close()
        self.channel.close()
        self._write_state()

    def _follow(self) -> None:
        while not self._closed.is_set():
            delay = self._one_stream()
            if self._half_open:
                self._replace_channel()
            self._closed.wait(delay)

    def _one_stream(self) -> float:
        """Follows one stream to its end; seconds until the next."""
        code: Optional[grpc.StatusCode] = None
        abandoned = False
        try:
            self._half_open = False
            request = self.log.opening()
            call = RevocationServiceStub(self.channel).Watch(
                request, metadata=self._settings.credentials.metadata()
            )
            with self._lock:
                self._call = call
            for frame in call:
                if self._closed.is_set():
                    break
                self.log.frame(frame)
        except Abandon:
            abandoned = True
        except grpc.RpcError as error:
            code = call_outcome(error)
        except Exception:
            abandoned = True
            _log.exception("the revocation feed failed; it is resumed")
        finally:
            self._cancel()
        return self.log.ended(code, abandoned=abandoned)

    def _cancel(self) -> None:
        with self._lock:
            call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _replace_channel(self) -> None:
        """A silent stream may be the sign of a dead connection, on which the
        next stream would be silent too. Asks on it may go on to their end."""
        retired, self.channel = self.channel, open_channel(self._settings)
        until = time.monotonic() + 2 * self._settings.ask_timeout
        self._retired.append((until, retired))

    def _watch_over(self) -> None:
        next_state = time.monotonic() + EVERY_SECONDS
        while not self._closed.wait(_TICK_SECONDS):
            with self._lock:
                watched = self._call is not None
            if watched and self.log.silent_in() <= 0:
                _log.warning("the revocation feed is silent; it is opened again")
                self._half_open = True
                self._cancel()
            now = time.monotonic()
            for entry in [entry for entry in self._retired if entry[0] <= now]:
                self._retired.remove(entry)
                entry[1].close()
            if now >= next_state:
                next_state = now + EVERY_SECONDS
                self._write_state()

    def _write_state(self) -> None:
        path = self._settings.state_file
        if path is not None:
            write_state(path, self._settings.issuer, self._decider.knowledge)
