"""Calls at a steady rate, whether the answers come or not: a client that waits for each answer before it asks again would hide just the delays that it is there to find.

One thread, plain sockets, kept connections: it must take little of the processor that it shares with what it measures.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MOST_CONNECTIONS = 256
PATIENCE_SECONDS = 10.0
"""A caller that has no answer by then goes away."""

Asked = tuple[str, Mapping[str, str]]
"""A path and the headers that go with it."""


@dataclass(frozen=True)
class Answer:
    due: float
    """Seconds of `time.perf_counter` at which the call was to be made."""
    seconds: float
    """From then to its last byte, waiting for a free connection included."""
    status: int
    """0: no answer within `PATIENCE_SECONDS`."""


@dataclass
class Stream:
    """``rate`` calls a second of what ``ask`` gives next; ``heard`` is told the path, status and ETag of each answer."""

    name: str
    rate: float
    ask: Callable[[], Asked]
    heard: Callable[[str, int, str], None] = lambda path, status, etag: None
    answers: list[Answer] = field(default_factory=list)

    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def at(self, share: float) -> float:
        """The seconds within which ``share`` of the calls were answered; one that never was took all its patience."""
        return quantile([answer.seconds for answer in self.answers], share)


def quantile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def play(port: int, streams: Sequence[Stream], seconds: float) -> None:
    """All ``streams`` side by side for so long; returns when the last call is answered or has gone away."""
    asyncio.run(_play(port, streams, seconds))


async def _play(port: int, streams: Sequence[Stream], seconds: float) -> None:
    line = _Line(port)
    try:
        await asyncio.gather(*(_stream(line, stream, seconds) for stream in streams))
    finally:
        line.close()


async def _stream(line: _Line, stream: Stream, seconds: float) -> None:
    began, draw = time.perf_counter(), random.Random(stream.name)
    calls = []
    for number in range(round(stream.rate * seconds)):
        due = began + (number + draw.random()) / stream.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(_call(line, stream, due)))
    await asyncio.gather(*calls)


async def _call(line: _Line, stream: Stream, due: float) -> None:
    path, headers = stream.ask()
    try:
        status, etag = await asyncio.wait_for(line.get(path, headers), PATIENCE_SECONDS)
    except (TimeoutError, OSError, EOFError):
        status, etag = 0, ""
    stream.answers.append(Answer(due, time.perf_counter() - due, status))
    stream.heard(path, status, etag)


class _Line:
    """Connections to one server, kept and shared."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        request = "".join([f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]).encode()
        async with self._room:
            while self._idle:
                try:
                    return await self._over(self._idle.pop(), request)
                except (EOFError, ConnectionError):
                    continue  # the server closes what has been idle for some seconds
            return await self._over(await asyncio.open_connection("127.0.0.1", self._port), request)

    async def _over(self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> tuple[int, str]:
        reader, writer = connection
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            if not head[0].startswith("HTTP/1.1 "):
                raise EOFError("this is not the beginning of an answer")
            said = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            await reader.readexactly(int(said.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        if said.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.append(connection)
        return int(head[0].split()[1]), said.get("etag", "")

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
