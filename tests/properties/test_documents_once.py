"""Each write counts once and has one answer, whatever is lost, repeated, reordered or killed in between."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from contextlib import closing
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.limits import database as limits
from laura_fast.node.database.commands import DeleteCommand, InsertCommand, Origin, UpdateCommand
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.loop import VirtualLoop
from tests.properties.document_server import LostError, Server

if TYPE_CHECKING:
    from laura_fast.node.database.commands import InsertOutcome, UpdateOutcome
    from tests.properties.document_server import Call

CLIENTS = 4
REQUESTS = 12
"""Of each client."""

COUNTERS = "shop.counters"
THINGS = "shop.things"
SIZE = 10
"""Counters that are there from the beginning; an upsert makes the others."""


class Client:
    """Sends one request after the other, each until it is answered, and knows what must have come of it.

    Attributes:
        increments: By how much each counter must have grown.
        marks: Requests that each counter must have seen, and how often: once.
        inserted: Things that it inserted.
        deleted: Things that it deleted, its own or others'.
    """

    def __init__(self, name: str, server: Server, dice: Random) -> None:
        self.increments: Counter[int] = Counter()
        self.marks: Counter[tuple[int, str]] = Counter()
        self.inserted = 0
        self.deleted = 0
        self._name = name
        self._server = server
        self._dice = dice
        self._numbers = itertools.count()
        self._calls: dict[str, Call] = {}
        self._answers: dict[str, bytes] = {}

    async def run(self) -> None:
        for _ in range(REQUESTS):
            act = self._dice.choice((self._count, self._count, self._upsert, self._sweep, self._insert, self._delete))
            await act()
            if self._dice.random() < 0.2:
                await self.repeat(self._dice.choice(list(self._calls)))

    async def repeat(self, request_id: str) -> None:
        """Sends an answered request again; `_told` holds the answer against the first."""
        await self._answered(request_id)

    async def repeat_all(self) -> None:
        for request_id in self._calls:
            await self.repeat(request_id)

    async def _count(self) -> None:
        await self._update({"_id": self._dice.randrange(SIZE)}, matched=1)

    async def _sweep(self) -> None:
        """More documents than one transaction changes, so that a crash finds half of them changed."""
        parity = self._dice.randrange(2)
        await self._update({"parity": parity}, matched=SIZE // 2, multi=True)

    async def _upsert(self) -> None:
        await self._update({"_id": SIZE + self._dice.randrange(3)}, matched=None)

    async def _update(self, query: dict[str, Any], matched: int | None, *, multi: bool = False) -> None:
        request_id, by = self._new_id(), self._dice.randrange(1, 9)
        mark = f"{self._name}/{request_id}"
        update = encode({"$inc": {"n": by}, "$push": {"marks": mark}})
        command = UpdateCommand(COUNTERS, encode(query), update, multi, upsert=matched is None)
        answer = await self._ask(request_id, partial(_update, command, self._origin(request_id)))
        assert answer in ({b"1 1 False", b"0 0 True"} if matched is None else {b"%d %d False" % (matched, matched)})
        for place in [query["_id"]] if "_id" in query else range(query["parity"], SIZE, 2):
            self.increments[place] += by
            self.marks[place, mark] += 1

    async def _insert(self) -> None:
        request_id, count = self._new_id(), self._dice.choice((1, 2, 8))
        documents = [encode({"kind": self._dice.randrange(3)}) for _ in range(count)]
        documents.insert(1, encode({"_id": "taken"}))
        command = InsertCommand(THINGS, tuple(documents))
        answer = await self._ask(request_id, partial(_insert, command, self._origin(request_id)))
        assert answer.startswith(b"%d inserted, 1 refused" % count), answer
        self.inserted += count

    async def _delete(self) -> None:
        request_id, kind = self._new_id(), self._dice.randrange(3)
        command = DeleteCommand(THINGS, encode({"kind": kind}), multi=self._dice.random() < 0.5)
        answer = await self._ask(request_id, partial(_delete, command, self._origin(request_id)))
        self.deleted += int(answer)

    def _new_id(self) -> str:
        return f"r{next(self._numbers)}"

    def _origin(self, request_id: str) -> Origin:
        return Origin(self._name, request_id)

    async def _ask(self, request_id: str, call: Call) -> bytes:
        self._calls[request_id] = call
        return await self._answered(request_id)

    async def _answered(self, request_id: str) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._dice.choice((0.05, 1.0, 10.0))):
                    return await self._server.send(self._calls[request_id], partial(self._told, request_id))
            except (LostError, TimeoutError):
                await asyncio.sleep(self._dice.random())

    def _told(self, request_id: str, answer: bytes) -> None:
        assert self._answers.setdefault(request_id, answer) == answer, f"two answers to {self._name}/{request_id}"


async def _update(command: UpdateCommand, origin: Origin, database: Any) -> bytes:
    def respond(outcome: UpdateOutcome) -> bytes:
        return f"{outcome.matched} {outcome.modified} {bool(outcome.upserted_id)}".encode()

    return bytes(await database.update(command, origin, None, respond))


async def _insert(command: InsertCommand, origin: Origin, database: Any) -> bytes:
    def respond(outcome: InsertOutcome) -> bytes:
        told = b"%d inserted, %d refused" % (len(outcome.inserted_ids), len(outcome.errors))
        return b": ".join([told, *outcome.inserted_ids])

    return bytes(await database.insert(command, origin, respond))


async def _delete(command: DeleteCommand, origin: Origin, database: Any) -> bytes:
    return bytes(await database.delete(command, origin, None, lambda deleted: b"%d" % deleted))


async def _suffer(seed: int, loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> int:
    dice = Random(seed)  # noqa: S311 - test cases, no secrets
    server = Server(dice, loop, monkeypatch)
    server.start()
    await _fill(server)
    clients = [Client(f"c{number}", server, dice) for number in range(CLIENTS)]
    work = asyncio.gather(*(client.run() for client in clients))
    while not work.done():
        await asyncio.wait((work,), timeout=dice.expovariate(4.0))
        server.crash()
        await asyncio.sleep(dice.random() / 4)
        server.start()
    await work
    await server.settle()
    _check(server, clients)
    await asyncio.gather(*(client.repeat_all() for client in clients))
    await server.settle()
    _check(server, clients)
    async for report in server.database.store.verify(MemoryStore()):
        assert not report.findings
    return server.crashes


async def _fill(server: Server) -> None:
    counters = [{"_id": place, "parity": place % 2} for place in range(SIZE)]
    for command in (
        InsertCommand(COUNTERS, tuple(map(encode, counters))),
        InsertCommand(THINGS, (encode({"_id": "taken"}),)),
    ):
        await server.database.insert(command, Origin("", ""), lambda _outcome: b"")


def _check(server: Server, clients: list[Client]) -> None:
    increments = sum((client.increments for client in clients), Counter())
    marks = sum((client.marks for client in clients), Counter())
    with server.database.store.reading() as state:
        counters = [decode(data) for _, data in state.documents(COUNTERS)]
        things = sum(1 for _ in state.documents(THINGS)) - 1
    assert {each["_id"]: each.get("n", 0) for each in counters if "n" in each} == dict(increments)
    assert Counter((each["_id"], mark) for each in counters for mark in each.get("marks", ())) == marks
    assert things == sum(client.inserted - client.deleted for client in clients)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_each_request_counts_once_and_has_one_answer(seed: int) -> None:
    with closing(VirtualLoop()) as loop, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(limits, "WRITE_SLICE_DOCUMENTS", 3)
        monkeypatch.setattr(limits, "CHANGE_LOOKS", 2)
        crashes = loop.run_until_complete(_suffer(seed, loop, monkeypatch))
    assert crashes
