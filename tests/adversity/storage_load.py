"""A writing process that is made to be killed, and what must be true of what it left behind.

Each worker owns its documents and makes one request at a time: it tells a pipe what it will do, does it in one job, and
tells the pipe again when the store has acknowledged it. So the reader of the pipe knows the state of every worker up to
its last acknowledged request, and of at most one more request each that may have happened or not.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents import codec
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.storage.documents.session import WriteSession

NS = "bank.accounts"
WORKERS = 6
DOCUMENTS = 12
"""Of each worker; some are there and some are not."""
INDEXES = (
    {"key": {"n": 1}, "name": "n_1"},
    {"key": {"unique": 1}, "name": "unique_1", "unique": True, "sparse": True},
    {"key": {"tags": 1, "n": -1}, "name": "tags_1_n_-1"},
)
COMING_AND_GOING = {"key": {"n": -1}, "name": "n_-1"}

Documents = dict[str, dict[str, Any]]
Changes = dict[str, dict[str, Any] | None]
"""By `_id`; None = removed."""


def open_store(path: Path) -> DocumentStore:
    """The store of a directory, with a window so short that its past is collected all the time."""
    store = DocumentStore(EmbeddedStore(Environment.open(path)))
    store.retention = Retention(window_ms=50)
    return store


def write_until_killed(path: Path, pipe: int, seed: int) -> None:
    """Never returns by itself."""
    asyncio.run(_write(path, pipe, random.Random(seed)))  # noqa: S311 - repeatable dice


async def _write(path: Path, pipe: int, rng: random.Random) -> None:
    store = open_store(path)
    await store.write(_create_indexes)
    os.write(pipe, b'{"ready": true}\n')
    dice = [random.Random(rng.random()) for _ in range(WORKERS)]  # noqa: S311 - repeatable
    workers = [_work(store, pipe, worker, dice[worker]) for worker in range(WORKERS)]
    await asyncio.gather(*workers, _collect(store), _come_and_go(store))


def _create_indexes(session: WriteSession) -> None:
    for index in INDEXES:
        session.create_index(NS, index)


async def _work(store: DocumentStore, pipe: int, worker: int, rng: random.Random) -> None:
    documents = read_documents(store, worker)
    number = documents[counter(worker)]["number"] if documents else 0
    while True:
        number += 1
        changes = _changes(worker, number, rng)
        _tell(pipe, {"worker": worker, "number": number, "changes": changes})
        await store.write(partial(_apply, worker=worker, number=number, changes=changes))
        _tell(pipe, {"worker": worker, "number": number})
        if rng.random() < 0.1:
            await asyncio.sleep(rng.random() * 0.01)


def _changes(worker: int, number: int, rng: random.Random) -> Changes:
    changes: Changes = {counter(worker): {"_id": counter(worker), "number": number}}
    for place in rng.sample(range(DOCUMENTS), rng.randint(1, 4)):
        changes[f"{worker}/{place}"] = _document(worker, place, number, rng)
    return changes


def _document(worker: int, place: int, number: int, rng: random.Random) -> dict[str, Any] | None:
    if rng.random() < 0.25:
        return None
    document = {"_id": f"{worker}/{place}", "n": rng.randrange(20), "number": number, "tags": rng.sample("abcde", 2)}
    if rng.random() < 0.5:
        document["unique"] = f"{worker}/{place}/{rng.randrange(3)}"
    if rng.random() < 0.05:
        document["filler"] = "x" * rng.randrange(40_000)
    return document


def _tell(pipe: int, line: dict[str, Any]) -> None:
    os.write(pipe, json.dumps(line).encode() + b"\n")


def _apply(session: WriteSession, worker: int, number: int, changes: Changes) -> None:
    for identifier, document in changes.items():
        key = record_key(identifier)
        body = session.get(NS, key)
        before = codec.decode_stored(body) if body else None
        if document is None:
            if before:
                session.remove(NS, key, before)
        elif before is None:
            session.insert(NS, document)
        elif number % 2:
            session.replace(NS, key, before, document)
        else:
            unset = dict.fromkeys(before.keys() - document.keys(), True)
            kept = {name: value for name, value in before.items() if name in document}
            session.replace(NS, key, before, {**kept, **document}, {"$set": document, "$unset": unset})
    session.ledger_put(ledger_key(worker, number), b"done")


async def _collect(store: DocumentStore) -> None:
    while True:
        if not await store.collect():
            await asyncio.sleep(0.01)


async def _come_and_go(store: DocumentStore) -> None:
    """An index is built in slices and dropped, over and over."""
    while True:
        await store.write(lambda session: session.create_index(NS, COMING_AND_GOING))
        while not (await store.write(lambda session: session.build_index(NS, "n_-1", 7))).ready:
            pass
        await store.write(lambda session: session.drop_index(NS, "n_-1"))


def counter(worker: int) -> str:
    """The `_id` of the document in which a worker counts its requests."""
    return f"{worker}/counter"


def ledger_key(worker: int, number: int) -> bytes:
    """The key of a request's outcome."""
    return f"{worker}/{number}".encode()


def read_documents(store: DocumentStore, worker: int) -> Documents:
    """What a worker has in the store."""
    with store.reading() as snapshot:
        everything = [codec.decode(body) for _, body in snapshot.documents(NS)]
    return {document["_id"]: document for document in everything if document["_id"].startswith(f"{worker}/")}


@dataclass
class Expected:
    """What a worker must have, as far as the pipe told.

    Attributes:
        documents: After its last acknowledged request.
        number: Of that request.
        pending: The request that was not acknowledged, if there is one.
    """

    documents: Documents = field(default_factory=dict)
    number: int = 0
    pending: Changes | None = None

    def begin(self, changes: Changes) -> None:
        """A request was announced."""
        self.pending = changes

    def acknowledge(self) -> None:
        """It was acknowledged, or was found to have happened."""
        assert self.pending is not None
        self.documents = _after(self.documents, self.pending)
        self.number += 1
        self.pending = None


def _after(documents: Documents, changes: Changes) -> Documents:
    merged = documents | changes
    return {identifier: document for identifier, document in merged.items() if document is not None}


def follow(expected: list[Expected], lines: Iterable[bytes]) -> int:
    """Takes what a killed process told; returns how many requests it saw acknowledged."""
    acknowledged = 0
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            break  # the last line, cut off
        if "changes" in told:
            expected[told["worker"]].begin(told["changes"])
        elif "worker" in told:
            expected[told["worker"]].acknowledge()
            acknowledged += 1
    return acknowledged


async def faults(path: Path, expected: list[Expected]) -> tuple[list[str], int]:
    """What is wrong with what is left, and how many unacknowledged requests had happened; `expected` becomes that."""
    store = open_store(path)
    try:
        found: list[str] = []
        happened = 0
        for worker, state in enumerate(expected):
            fault, did_happen = await _worker_fault(store, worker, state)
            found += fault
            happened += did_happen
        return found + await _verify(store), happened
    finally:
        store.close()


async def _worker_fault(store: DocumentStore, worker: int, state: Expected) -> tuple[list[str], bool]:
    documents, pending = read_documents(store, worker), state.pending
    outcome = await store.write(lambda session: session.ledger_get(ledger_key(worker, state.number + 1)))
    happened = pending is not None and documents == _after(state.documents, pending)
    if happened:
        state.acknowledge()
    elif documents != state.documents:
        return [f"worker {worker}: {documents} is neither {state.documents} nor that after {pending}"], False
    state.pending = None
    if (outcome is not None) != happened:
        return [f"worker {worker}: the ledger says {outcome!r} of a request that has happened: {happened}"], happened
    return [], happened


async def _verify(store: DocumentStore) -> list[str]:
    async for report in store.verify(MemoryStore()):
        last = report
    return last.findings if last.replayed else [*last.findings, "the oplog was not replayed"]


if __name__ == "__main__":
    write_until_killed(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
