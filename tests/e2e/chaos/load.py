"""Clients that write and read all the time, each request repeated under its id until it is answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from laura_fast.client import ClusterClient
from laura_fast.client.documents import DocumentClient
from laura_fast.client.documents.reading import Concern, Reading
from laura_fast.errors import UnreachableError
from laura_fast.testing.sim.history import History

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    Answer = TypeVar("Answer")

THINGS, COUNTERS, REGISTERS = "chaos.things", "chaos.counters", "chaos.registers"
COUNTER_IDS = 8
REGISTER_IDS = 2
EPOCH_S = 30.0
"""Registers are replaced by new ones after this time, so that each has a history that can be searched."""

WRITERS = 6
WRITER_PAUSE_S = 0.09
READERS = 4
READER_PAUSE_S = 0.2
PATIENCE_S = 0.5
"""Of one attempt, as an application has it that would rather ask again than wait."""


@dataclass(frozen=True, slots=True)
class Write:
    """An acknowledged one; times are those of the monotonic clock."""

    begun: float
    answered: float


@dataclass
class Tally:
    """What was answered, and what every member must hold because of it."""

    writes: list[Write] = field(default_factory=list)
    reads: int = 0
    retries: int = 0
    things: set[int] = field(default_factory=set)
    increments: Counter[int] = field(default_factory=Counter)
    history: History = field(default_factory=History)
    registers: set[str] = field(default_factory=set)

    def first_answer(self, after: float) -> float:
        """When the first write was answered that was begun after this moment; infinite = none yet."""
        return min((each.answered for each in self.writes[-10_000:] if each.begun > after), default=float("inf"))

    def answered_between(self, begin: float, end: float) -> int:
        """How many writes."""
        return sum(begin <= each.answered < end for each in self.writes[-10_000:])


class Load:
    """All clients, each with connections of its own."""

    def __init__(self, addresses: Sequence[str], seed: object, patience_s: float = PATIENCE_S) -> None:
        """Prepares.

        Args:
            addresses: Of the members.
            seed: Of what is asked.
            patience_s: Of one attempt.
        """
        self.tally = Tally()
        self._patience_s = patience_s
        self._addresses = addresses
        self._random = Random(f"{seed} load")  # noqa: S311 - test data
        self._stopping = asyncio.Event()
        self._began = time.monotonic()
        self._values = 0
        self._running: asyncio.Task[None]

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Prepares what is counted, and then writes and reads until `finish`."""
        self._running = tasks.create_task(self._run())

    async def finish(self) -> None:
        """Lets every request that is under way be answered, and sends no more."""
        self._stopping.set()
        await self._running

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            clients = [await self._client(stack) for _ in range(WRITERS + READERS)]
            for counter in range(COUNTER_IDS):
                await self._increment(clients[0], counter)
            writing = (self._work(client, self._write, WRITER_PAUSE_S) for client in clients[:WRITERS])
            reading = (self._work(client, self._touch, READER_PAUSE_S) for client in clients[WRITERS:])
            async with asyncio.TaskGroup() as tasks:
                for work in (*writing, *reading):
                    tasks.create_task(work)

    async def _client(self, stack: AsyncExitStack) -> DocumentClient:
        cluster = await stack.enter_async_context(ClusterClient(self._addresses))
        return DocumentClient(cluster, timeout_s=self._patience_s, reading=Reading(concern=Concern.LINEARIZABLE))

    async def _work(
        self, client: DocumentClient, act: Callable[[DocumentClient], Awaitable[None]], pause_s: float
    ) -> None:
        while not self._stopping.is_set():
            due = time.monotonic() + pause_s
            await act(client)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(0.0, due - time.monotonic()))

    async def _write(self, client: DocumentClient) -> None:
        if self._random.random() < 0.5:
            await self._increment(client, self._random.randrange(COUNTER_IDS))
            return
        thing = self._number()
        document = {"_id": thing, "payload": payload(thing)}
        outcome = await self._written(lambda request: client.insert(THINGS, [document], request_id=request))
        assert (outcome.inserted, outcome.errors) == (1, ()), outcome
        self.tally.things.add(thing)

    async def _increment(self, client: DocumentClient, counter: int) -> None:
        change = {"$inc": {"n": 1}}
        outcome = await self._written(
            lambda request: client.update(COUNTERS, {"_id": counter}, change, upsert=True, request_id=request)
        )
        assert (outcome.matched, outcome.modified) in {(1, 1), (0, 0)}, outcome
        assert outcome.matched or not self.tally.increments[counter], outcome
        self.tally.increments[counter] += 1

    async def _touch(self, client: DocumentClient) -> None:
        """Reads a register, or sets it."""
        epoch = int((time.monotonic() - self._began) / EPOCH_S)
        register = f"{epoch}-{self._random.randrange(REGISTER_IDS)}"
        self.tally.registers.add(register)
        if self._random.random() < 0.5:
            call = self.tally.history.begin(register, None, writes=False)
            found = await self._read(client, register)
            self.tally.history.end(call, found.encode() if found else None)
            return
        value = str(self._number())
        call = self.tally.history.begin(register, value.encode(), writes=True)
        change = {"$set": {"value": value}}
        await self._written(
            lambda request: client.update(REGISTERS, {"_id": register}, change, upsert=True, request_id=request)
        )
        self.tally.history.end(call, value.encode())

    async def _read(self, client: DocumentClient, register: str) -> str:
        found = await self._answered(lambda: client.find_one(REGISTERS, {"_id": register}))
        self.tally.reads += 1
        return found["value"] if found else ""

    async def _written(self, call: Callable[[str], Awaitable[Answer]]) -> Answer:
        begun, request = time.monotonic(), f"r{self._number()}"
        answer = await self._answered(lambda: call(request))
        self.tally.writes.append(Write(begun, time.monotonic()))
        return answer

    async def _answered(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, however many attempts it takes; a refusal of any other kind ends the run."""
        while True:
            try:
                return await call()
            except UnreachableError:
                self.tally.retries += 1

    def _number(self) -> int:
        self._values += 1
        return self._values


def payload(thing: int) -> str:
    """What a document must hold."""
    return f"{thing} " * (1 + thing % 50)
