"""The verifier for asyncio."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, Optional, Union, cast

import grpc
import grpc.aio

from .._claims import Claims
from .._decision import Ask, Decider
from .._keys import ALGORITHMS
from .._knowledge import Abandon, Knowledge, Position
from .._settings import CHANNEL_OPTIONS, Audience, Credentials, Policy, Settings
from .._state_file import EVERY_SECONDS, read_state, write_state
from .._stats import Stats, stats_of
from .._stream import StreamLog
from ..v1.revocation_service_pb2 import WatchResponse
from ..v1.revocation_service_pb2_grpc import RevocationServiceStub
from ..v1.token_service_pb2_grpc import TokenServiceStub

if TYPE_CHECKING:
    from ..v1.revocation_service_pb2_grpc import RevocationServiceAsyncStub
    from ..v1.token_service_pb2_grpc import TokenServiceAsyncStub

_log = logging.getLogger("ostiary")
# Larger frames are applied in a thread: a part of a snapshot with a hundred
# thousand entries would hold up the loop for tens of milliseconds.
_SMALL_FRAME_BYTES = 16 * 1024


def open_channel(settings: Settings) -> grpc.aio.Channel:
    credentials = settings.credentials.channel_credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(settings.target, CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(settings.target, credentials, CHANNEL_OPTIONS)


class Verifier:
    """Checks access tokens of one issuer without a call per check.

    A task in the background follows the revocation feed from `start` (or
    ``async with``) on. Belongs to the loop it was started in.
    """

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
        """As for ostiary.Verifier."""
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
        self._feed: Optional[_Feed] = _Feed(self._decider)

    @classmethod
    def _without_feed(cls, decider: Decider) -> Verifier:
        """For test issuers: whoever made `decider` keeps its knowledge fresh."""
        verifier = cls.__new__(cls)
        verifier._build(decider)
        verifier._feed = None
        return verifier

    def _build(self, decider: Decider) -> None:
        self._decider = decider
        self._waiting: set[asyncio.Event] = set()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        decider.knowledge.listeners.append(self._tell_waiters)

    async def start(self) -> None:
        """Begins to follow the feed; does not wait for it. Idempotent."""
        self._loop = asyncio.get_running_loop()
        if self._feed is not None:
            self._feed.start()

    async def verify(
        self,
        token: str,
        *,
        audience: Optional[Audience] = None,
        scopes: Collection[str] = (),
        roles: Collection[str] = (),
        policy: Optional[Union[Policy, str]] = None,
        min_revision: str = "",
    ) -> Claims:
        """As ostiary.Verifier.verify. Gives up the loop only to ask the server."""
        demand = self._decider.demand(
            audience=audience,
            scopes=scopes,
            roles=roles,
            policy=policy,
            min_revision=min_revision,
        )
        verdict = self._decider.decide(token, demand)
        return verdict if isinstance(verdict, Claims) else await self._ask(verdict)

    async def wait_ready(self, timeout: float = 10.0) -> None:
        """As ostiary.Verifier.wait_ready. Raises TimeoutError."""
        knowledge, bound = self._decider.knowledge, self._decider.settings.staleness_bound
        await self._wait(lambda: knowledge.staleness() <= bound, timeout)

    async def wait_for(self, revision: str, timeout: float = 10.0) -> None:
        """As ostiary.Verifier.wait_for. Raises TimeoutError, RevisionLost, ValueError."""
        wanted = Position.of_revision(revision)
        await self._wait(lambda: self._decider.knowledge.has_reached(wanted), timeout)

    def stats(self) -> Stats:
        connected = self._feed.log.connected if self._feed is not None else True
        reconnects = max(self._feed.log.reconnects, 0) if self._feed is not None else 0
        return stats_of(self._decider, connected=connected, reconnects=reconnects)

    async def close(self) -> None:
        """Ends the feed. What is checked afterwards is as stale as it gets."""
        if self._feed is not None:
            await self._feed.close()

    async def __aenter__(self) -> Verifier:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def _ask(self, ask: Ask) -> Claims:
        channel = self._feed.channel if self._feed is not None else None
        if channel is None:
            raise self._decider.failed("UNAVAILABLE")
        settings = self._decider.settings
        stub = cast("TokenServiceAsyncStub", TokenServiceStub(channel))
        try:
            response = await stub.Verify(
                ask.request(),
                timeout=settings.ask_timeout,
                metadata=settings.credentials.metadata(),
            )
        except grpc.aio.AioRpcError as error:
            raise self._decider.failed(error.code().name) from None
        except grpc.aio.UsageError:  # the channel was closed meanwhile
            raise self._decider.failed("CANCELLED") from None
        except BaseException:
            self._decider.withdrawn()
            raise
        return self._decider.answered(ask, response)

    async def _wait(self, done: Callable[[], bool], timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            changed.set()

        # Not asyncio.wait_for: before Python 3.12 it may swallow that the caller
        # was cancelled.
        timer = self._loop.call_later(timeout, expire)
        self._waiting.add(changed)
        try:
            while not done():
                if expired:
                    raise TimeoutError
                changed.clear()
                await changed.wait()
        finally:
            timer.cancel()
            self._waiting.discard(changed)

    def _tell_waiters(self) -> None:
        # Perhaps from another thread: that of a large frame or of a test.
        loop = self._loop
        if loop is None or loop.is_closed() or not self._waiting:
            return
        loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for changed in self._waiting:
            changed.set()


class _Feed:
    """The tasks that follow the feed and keep the state file."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._settings = decider.settings
        self._tasks: list[asyncio.Task[None]] = []
        self._retired: set[asyncio.Task[None]] = set()
        self._state_was_read = False
        self._closing = False
        self.log = StreamLog(decider)
        self.channel: Optional[grpc.aio.Channel] = None

    def start(self) -> None:
        if self._tasks:
            return
        self._closing = False
        self._read_state()
        self.channel = open_channel(self._settings)
        self._tasks.append(asyncio.create_task(self._follow(), name="ostiary-feed"))
        if self._settings.state_file is not None:
            self._tasks.append(asyncio.create_task(self._keep_state(), name="ostiary-state"))

    async def close(self) -> None:
        tasks, self._tasks = [*self._tasks, *self._retired], []
        if self.channel is None:
            return
        self._closing = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        channel, self.channel = self.channel, None
        await channel.close()
        self._write_state()

    # A task that is cancelled at the very moment its stream ends hears of the
    # end alone: wait_for swallows the rest before Python 3.12. So both loops
    # look for themselves whether they should go on.

    async def _follow(self) -> None:
        while True:
            pause = await self._one_stream()
            if self._closing:
                return
            await asyncio.sleep(pause)

    async def _one_stream(self) -> float:
        """Follows one stream to its end; seconds until the next."""
        code: Optional[grpc.StatusCode] = None
        abandoned = half_open = False
        call: Any = None
        try:
            assert self.channel is not None
            stub = cast("RevocationServiceAsyncStub", RevocationServiceStub(self.channel))
            request = self.log.opening()
            call = stub.Watch(request, metadata=self._settings.credentials.metadata())
            while True:
                frame = await asyncio.wait_for(_read(call), max(self.log.silent_in(), 0.001))
                if self._closing:
                    break
                if frame is None:
                    code = await call.code()
                    break
                await self._take(frame)
        except asyncio.TimeoutError:
            half_open = True
            _log.warning("the revocation feed is silent; it is opened again")
        except Abandon:
            abandoned = True
        except grpc.aio.AioRpcError as error:
            code = error.code()
        except Exception:
            abandoned = True
            _log.exception("the revocation feed failed; it is resumed")
        finally:
            if call is not None:
                call.cancel()
        if half_open:
            self._replace_channel()
        return self.log.ended(code, abandoned=abandoned or half_open)

    async def _take(self, frame: WatchResponse) -> None:
        if frame.ByteSize() <= _SMALL_FRAME_BYTES:
            self.log.frame(frame)
        else:
            await asyncio.to_thread(self.log.frame, frame)

    def _replace_channel(self) -> None:
        """A silent stream may be the sign of a dead connection, on which the
        next stream would be silent too. Asks on it may go on to their end."""
        retired, self.channel = self.channel, open_channel(self._settings)
        task = asyncio.create_task(self._close_later(retired))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    async def _close_later(self, channel: Optional[grpc.aio.Channel]) -> None:
        try:
            await asyncio.sleep(2 * self._settings.ask_timeout)
        finally:
            if channel is not None:
                await channel.close()

    async def _keep_state(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self._write_state)

    def _read_state(self) -> None:
        path = self._settings.state_file
        if path is not None and not self._state_was_read:
            self._state_was_read = True
            read_state(path, self._settings.issuer, self._decider.knowledge)

    def _write_state(self) -> None:
        path = self._settings.state_file
        if path is not None:
            write_state(path, self._settings.issuer, self._decider.knowledge)


async def _read(call: Any) -> Optional[WatchResponse]:
    """The next frame, or None at an orderly end."""
    frame = await cast("Awaitable[Any]", call.read())
    return frame if isinstance(frame, WatchResponse) else None
