"""A TCP proxy before a service, whose connections can be reset or held up at will."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Self

from headwater.local import ports

READ_BYTES = 1 << 16
LINGER_NOT = struct.pack("ii", 1, 0)  # closing then sends a reset


class Proxy:
    """Passes bytes on to a port of this machine; use it as a context manager."""

    def __init__(self, target: int) -> None:
        self.port, self._target = ports.quiet(), target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._refusing = False
        self._server: asyncio.Server

    def reset(self) -> None:
        """Reset every connection and take none until `resume`."""
        self._do(self._reset())

    def stall(self) -> None:
        """Let no byte pass until `resume`; connections stay open."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def resume(self) -> None:
        """Work as before."""
        self._refusing = False
        self._loop.call_soon_threadsafe(self._passing.set)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._passing.set()
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        await self._reset()
        for flow in self._flows:
            flow.cancel()
        await asyncio.gather(*self._flows, return_exceptions=True)

    async def _reset(self) -> None:
        self._refusing = True
        for writer in list(self._writers):
            _abort(writer)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._flows.add(task)
        try:
            await self._connect(reader, writer)
        finally:
            self._flows.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            if self._refusing:
                return
            theirs, to_them = await asyncio.open_connection("127.0.0.1", self._target)
            ends.append(to_them)
            self._writers.update(ends)
            ways = [self._pump(reader, to_them), self._pump(theirs, writer)]
            pumps = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the service is away: so are we
        finally:
            self._writers.difference_update(ends)
            for end in ends:
                _abort(end)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(READ_BYTES):
            await self._passing.wait()
            writer.write(data)
            await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()
