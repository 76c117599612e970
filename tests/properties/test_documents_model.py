"""The document store against plain dicts: random writes, reads of every time, collection, rollback and reopening."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from laura_fast.domain.documents import codec, keys
from laura_fast.domain.documents.updates import apply_delta
from laura_fast.errors import AlreadyExistsError, NotFoundError, OutOfRangeError
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from tests.contract.stores import open_store
from tests.unit.storage.documents.kit import FieldIndex, Kit

if TYPE_CHECKING:
    from laura_fast.storage.documents.session import WriteSession

NAMESPACES = ("db.a", "db.b.c")
WINDOW_MS = 1000
INDEXES = (
    {"key": {"n": 1}, "name": "n_1"},
    {"key": {"n": 1}, "name": "n_unique", "unique": True},
    {"key": {"m": 1, "n": 1}, "name": "m_1_n_1"},
)

IDS = [0, "a", "long" * 60 + "1", "long" * 60 + "2"]

identifiers = st.sampled_from(IDS)
values = st.sampled_from([None, 1, 2, 3, "v" * 400, "v" * 400 + "w", [1, 2], []])
contents = st.dictionaries(st.sampled_from(["n", "m"]), values, max_size=2)
namespaces = st.sampled_from([*NAMESPACES, NAMESPACES[0], NAMESPACES[0]])


@dataclass
class Held:
    """What one collection holds."""

    documents: dict[bytes, dict[str, Any]]
    indexes: dict[str, int]
    """Name → how many commits the store had when it became ready."""


State = dict[str, Held]


def index_entries(held: Held, name: str) -> list[tuple[bytes, bytes]]:
    index = FieldIndex(next(definition for definition in INDEXES if definition["name"] == name))
    return sorted((entry, key) for key, document in held.documents.items() for entry in index.entries(document).keys)


class IndexesMachine(RuleBasedStateMachine):
    """Collections and indexes come and go, and rollbacks bring them back.

    The model keeps the whole state after every commit; the store must tell any of them by its time.
    """

    engine = "memory"

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.path = Path(tempfile.mkdtemp())
        self.kit = Kit(lambda: open_store(self.engine, self.path), durable=self.engine == "embedded")
        self.state: State = {}
        self.history: list[tuple[int, int, State]] = [(0, 0, {})]
        """Commit time, op id and state after each commit."""
        self.committed = 0
        self.set_up()
        self.create_index(NAMESPACES[0], INDEXES[0])

    def set_up(self) -> None:
        self.store = self.kit.store
        self.store.retention = Retention(window_ms=WINDOW_MS)
        self.store.commit_point = self.committed

    def teardown(self) -> None:
        if hasattr(self, "kit"):
            self.loop.run_until_complete(self.check_sound())
            self.check_replay()
            self.kit.close()
            self.loop.close()
            shutil.rmtree(self.path)

    def run(self, job: Any) -> Any:
        return self.loop.run_until_complete(self.store.write(job))

    def note(self) -> None:
        head = self.store.head
        if (head.time, head.op_id) != self.history[-1][:2]:
            self.history.append((head.time, head.op_id, deepcopy(self.state)))

    # --- writes ---

    @rule(namespace=namespaces, identifier=identifiers, content=contents, ticks=st.integers(0, 3))
    def insert(self, namespace: str, identifier: Any, content: dict[str, Any], ticks: int) -> None:
        self.kit.now += ticks * 100
        document, key = {"_id": identifier, **content}, record_key(identifier)
        held = self.state.get(namespace) or Held({}, {})
        if key in held.documents or self.collides(held, key, document):
            with pytest.raises(AlreadyExistsError):
                self.run(lambda session: session.insert(namespace, document))
        else:
            self.run(lambda session: session.insert(namespace, document))
            self.state[namespace] = held
            held.documents[key] = document
        self.note()

    @rule(namespace=namespaces)
    def drop(self, namespace: str) -> None:
        assert self.run(lambda session: session.drop_collection(namespace)) == (
            self.state.pop(namespace, None) is not None
        )
        self.note()

    @rule(namespace=namespaces, definition=st.sampled_from(INDEXES))
    def create_index(self, namespace: str, definition: dict[str, Any]) -> None:
        name = definition["name"]
        self.run(lambda session: session.create_index(namespace, definition))
        held = self.state.setdefault(namespace, Held({}, {}))
        entries = [entry for entry, _ in index_entries(held, name)]
        if definition.get("unique") and len(set(entries)) < len(entries) and name not in held.indexes:
            with pytest.raises(AlreadyExistsError):
                self.build(namespace, name)
            self.run(lambda session: session.drop_index(namespace, name))
        else:
            self.build(namespace, name)
            held.indexes.setdefault(name, len(self.history))
        self.note()

    def build(self, namespace: str, name: str) -> None:
        while not self.run(lambda session: session.build_index(namespace, name, 2)).ready:
            pass

    @rule(namespace=namespaces, definition=st.sampled_from(INDEXES))
    def drop_index(self, namespace: str, definition: dict[str, Any]) -> None:
        held = self.state.get(namespace)
        there = held is not None and held.indexes.pop(definition["name"], None) is not None
        assert self.run(lambda session: session.drop_index(namespace, definition["name"])) == there
        self.note()

    def collides(self, held: Held, key: bytes, document: dict[str, Any]) -> bool:
        if "n_unique" not in held.indexes:
            return False
        others = Held({other: found for other, found in held.documents.items() if other != key}, {})
        taken = {entry for entry, _ in index_entries(others, "n_unique")}
        return bool(taken & {entry for entry, _ in index_entries(Held({key: document}, {}), "n_unique")})

    # --- time, disk, history ---

    @rule(ms=st.sampled_from([1, WINDOW_MS // 2, 2 * WINDOW_MS]))
    def collect(self, ms: int) -> None:
        self.kit.now += ms
        while self.loop.run_until_complete(self.store.collect()):
            pass

    @rule()
    def commit(self) -> None:
        self.committed = self.store.commit_point = self.store.head.op_id

    @rule()
    def reopen(self) -> None:
        self.kit.reopen()
        self.set_up()

    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        possible = [place for place, (_, op_id, _) in enumerate(self.history) if op_id >= self.committed]
        place = data.draw(st.sampled_from(possible))
        _, op_id, state = self.history[place]
        while self.store.head.op_id > op_id:
            assert self.run(lambda session: session.roll_back(op_id, 2))
        del self.history[place + 1 :]
        self.state = deepcopy(state)
        for held in self.state.values():
            held.indexes = dict.fromkeys(held.indexes, place)

    # --- checks ---

    @invariant()
    def newest(self) -> None:
        if hasattr(self, "kit"):
            self.check(None, self.state, len(self.history))

    def check(self, at: int | None, state: State, place: int) -> None:
        with self.store.reading(at) as snapshot:
            for namespace in NAMESPACES:
                held = state.get(namespace) or Held({}, {})
                assert (snapshot.collection(namespace) is not None) == (namespace in state)
                for reverse in (False, True):
                    found = [(key, codec.decode(body)) for key, body in snapshot.documents(namespace, reverse=reverse)]
                    assert found == sorted(held.documents.items(), reverse=reverse)
                    assert list(snapshot.keys(namespace, reverse=reverse)) == [key for key, _ in found]
                for identifier in IDS:
                    key = record_key(identifier)
                    body = snapshot.get(namespace, key)
                    assert (codec.decode(body) if body else None) == held.documents.get(key)
                for name, since in held.indexes.items():
                    if place >= since and snapshot.collection(namespace) == self.store.catalog.collections.get(
                        namespace
                    ):
                        self.check_index(snapshot, namespace, held, name)

    def check_index(self, snapshot: Any, namespace: str, held: Held, name: str) -> None:
        try:
            found = list(snapshot.entries(namespace, name))
        except NotFoundError:  # it was dropped and made anew since
            assert snapshot.at < self.store.head.time
            return
        expected = index_entries(held, name)
        assert sorted(key for _, key in found) == sorted(key for _, key in expected)
        short = [(entry, key) for entry, key in expected if len(entry) < 300]
        assert [(entry, key) for entry, key in found if len(entry) < 300] == short
        assert list(snapshot.entries(namespace, name, reverse=True)) == found[::-1]
        start, stop = keys.encode_value(1), keys.successor(keys.encode_value(2))
        ranged = [(entry, key) for entry, key in snapshot.entries(namespace, name, start, stop) if len(entry) < 300]
        assert ranged == [(entry, key) for entry, key in short if start <= entry < (stop or b"")]

    async def check_sound(self) -> None:
        async for report in self.store.verify(MemoryStore()):
            last = report
        assert (last.findings, last.replayed) == ([], True)
        assert last.documents == sum(len(held.documents) for held in self.state.values())

    def check_replay(self) -> None:
        """The log from its beginning gives the same state on an empty engine; so does every suffix replayed on top."""
        entries = self.store.read_oplog(1, 10_000, 1 << 30)
        replica = DocumentStore(MemoryStore(), FieldIndex)
        self.loop.run_until_complete(replica.write(lambda session: session.replay(entries)))
        self.store = replica
        self.check(None, self.state, len(self.history))
        for start in (0, len(entries) // 2, len(entries) * 3 // 4):
            self.run(lambda session, start=start: session.replay(entries[start:]))
            self.check(None, self.state, len(self.history))
        follower = DocumentStore(MemoryStore(), FieldIndex)
        self.store = follower
        for entry in entries:
            assert self.run(lambda session, entry=entry: session.append(entry))
            assert not self.run(lambda session, entry=entry: session.append(entry))
        self.check(None, self.state, len(self.history))
        assert follower.head[:3] == replica.head[:3]


class DocumentsMachine(IndexesMachine):
    """Documents change, too, while others read the past."""

    @rule(namespace=namespaces, identifier=identifiers, content=contents)
    def replace(self, namespace: str, identifier: Any, content: dict[str, Any]) -> None:
        self.change(namespace, {"_id": identifier, **content}, None)

    @rule(namespace=namespaces, identifier=identifiers, setting=contents, unset=st.sampled_from([[], ["n"], ["m"]]))
    def update(self, namespace: str, identifier: Any, setting: dict[str, Any], unset: list[str]) -> None:
        held = self.state.get(namespace)
        before = held and held.documents.get(record_key(identifier))
        delta = {"$set": setting, "$unset": dict.fromkeys(unset, True)}
        self.change(namespace, apply_delta(before or {"_id": identifier}, delta), delta)

    def change(self, namespace: str, after: dict[str, Any], delta: dict[str, Any] | None) -> None:
        key = record_key(after["_id"])
        held = self.state.get(namespace)

        def job(session: WriteSession) -> None:
            body = session.get(namespace, key)
            before = codec.decode_stored(body) if body else {}
            session.replace(namespace, key, before, after, delta)

        if held is None or key not in held.documents:
            with pytest.raises(NotFoundError):
                self.run(job)
        elif self.collides(held, key, after):
            with pytest.raises(AlreadyExistsError):
                self.run(job)
        else:
            self.run(job)
            held.documents[key] = after
        self.note()

    @rule(namespace=namespaces, identifier=identifiers)
    def remove(self, namespace: str, identifier: Any) -> None:
        key = record_key(identifier)
        held = self.state.get(namespace)
        if held is None or key not in held.documents:
            return
        before = held.documents.pop(key)
        self.run(lambda session: session.remove(namespace, key, before))
        self.note()

    @rule(namespace=namespaces, identifier=identifiers)
    def fail(self, namespace: str, identifier: Any) -> None:
        """A job that breaks after its writes leaves nothing."""

        def job(session: WriteSession) -> None:
            session.create_index("db.new", INDEXES[0])
            key = record_key(identifier)
            body = session.get(namespace, key)
            if body:
                session.remove(namespace, key, codec.decode_stored(body))
            session.insert(namespace, {"_id": identifier})
            raise ZeroDivisionError

        with pytest.raises((ZeroDivisionError, AlreadyExistsError)):
            self.run(job)

    @precondition(lambda self: len(self.history) > 1)
    @rule(data=st.data())
    def read_the_past(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(1, len(self.history) - 1))
        time, _, state = self.history[place]
        if time >> 16 >= self.kit.now - WINDOW_MS:
            self.check(time, state, place)
            return
        with suppress(OutOfRangeError):
            self.check(time, state, place)

    @rule(namespace=namespaces, seen=st.integers(0, 4), reverse=st.booleans(), identifier=identifiers, content=contents)
    def scan_while_others_write(
        self, namespace: str, seen: int, reverse: bool, identifier: Any, content: dict[str, Any]
    ) -> None:
        """A scan that lets its state go in the middle goes on in a newer one, and still sees what it began with."""
        held = deepcopy(self.state.get(namespace)) or Held({}, {})
        with self.store.reading() as snapshot:
            scans = [snapshot.documents(namespace, reverse=reverse)]
            scans += [snapshot.entries(namespace, name, reverse=reverse) for name in held.indexes]
            found: list[list[Any]] = [list(islice(scan, seen)) for scan in scans]
            self.remove(namespace, identifier)
            snapshot.close()
            self.insert(namespace, identifier, content, 0)
            for items, scan in zip(found, scans, strict=True):
                items.extend(scan)
        assert [key for key, _ in found[0]] == sorted(held.documents, reverse=reverse)
        assert [codec.decode(body) for _, body in found[0]] == [held.documents[key] for key, _ in found[0]]
        for name, items in zip(held.indexes, found[1:], strict=True):
            assert sorted(key for _, key in items) == sorted(key for _, key in index_entries(held, name))


class DurableMachine(DocumentsMachine):
    engine = "embedded"


@pytest.mark.parametrize(("machine", "examples"), [(IndexesMachine, 40), (DocumentsMachine, 25), (DurableMachine, 3)])
def test_the_store_is_its_model(machine: type[DocumentsMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
