"""A TCP wire that can be cut, stalled, slowed and led elsewhere."""

import asyncio
import threading


class Wire:
    """Forwards 127.0.0.1:port to a target; runs on a thread of its own."""

    def __init__(self, target):
        self.target = target
        self.stalled = False  # connections live, nothing gets through
        self.delay = 0.0  # seconds, each way, for each piece
        self.refusing = False
        self._pipes = set()
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,),
                                        daemon=True)
        self._thread.start()
        started.wait(5)

    def _run(self, started):
        async def serve():
            self._server = await asyncio.start_server(self._take, "127.0.0.1",
                                                      0)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()
            async with self._server:
                await self._server.serve_forever()

        try:
            self._loop.run_until_complete(serve())
        except asyncio.CancelledError:
            pass

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def _take(self, reader, writer):
        if self.refusing:
            return writer.transport.abort()
        host, port = self.target.rsplit(":", 1)
        try:
            far_reader, far_writer = await asyncio.open_connection(host,
                                                                   int(port))
        except OSError:
            return writer.transport.abort()
        pair = (writer, far_writer)
        self._pipes.add(pair)
        try:
            await asyncio.gather(self._pump(reader, far_writer),
                                 self._pump(far_reader, writer))
        finally:
            self._pipes.discard(pair)
            for end in pair:
                end.transport.abort()

    async def _pump(self, reader, writer):
        try:
            while piece := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.stalled:
                    await asyncio.sleep(0.02)
                writer.write(piece)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    def cut(self):
        """Ends every connection; new ones are taken unless `refusing`."""
        def abort():
            for pair in list(self._pipes):
                for end in pair:
                    end.transport.abort()

        self._loop.call_soon_threadsafe(abort)

    def close(self):
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(
            lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._thread.join(5)
