"""What tests of the document store share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents import codec, keys
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.ordered import Store

NS = "db.things"
START_MS = 1_700_000_000_000


@dataclass
class FieldEntries:
    keys: tuple[bytes, ...]
    multikey: int = 0


class FieldIndex:
    """An index on top-level fields; arrays give an entry per element."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.fields = list(definition["key"])
        self.unique = bool(definition.get("unique"))

    def entries(self, document: dict[str, Any]) -> FieldEntries:
        value = document.get(self.fields[0])
        values = value if isinstance(value, list) else [value]
        rest = b"".join(keys.encode_value(document.get(field)) for field in self.fields[1:])
        found = dict.fromkeys(keys.encode_value(value) + rest for value in values)
        return FieldEntries(tuple(found), int(isinstance(value, list)))


class Kit:
    """A store that can be reopened, its clock, and reads as plain documents."""

    def __init__(self, open_engine: Callable[[], Store], *, durable: bool) -> None:
        self.durable = durable
        self.now = START_MS
        self._open_engine = open_engine
        self.open()

    def open(self) -> None:
        self.engine = self._open_engine()
        self.store = DocumentStore(self.engine, FieldIndex, now_ms=lambda: self.now)

    def reopen(self) -> None:
        """Closes and opens the store; one in memory keeps its engine."""
        if self.durable:
            self.close()
            self.open()
        else:
            self.store = DocumentStore(self.engine, FieldIndex, now_ms=lambda: self.now)

    def close(self) -> None:
        self.engine.close()

    async def insert(self, *documents: dict[str, Any], namespace: str = NS) -> int:
        """Inserts in one job; returns the commit time."""
        await self.store.write(lambda session: [session.insert(namespace, document) for document in documents])
        return self.store.head.time

    async def replace(self, document: dict[str, Any], namespace: str = NS) -> int:
        await self.store.write(lambda session: replace(session, namespace, document))
        return self.store.head.time

    async def remove(self, identifier: Any, namespace: str = NS) -> int:
        await self.store.write(lambda session: remove(session, namespace, identifier))
        return self.store.head.time

    async def index(self, definition: Mapping[str, Any], namespace: str = NS) -> None:
        await self.store.write(lambda session: session.create_index(namespace, definition))
        while not (await self.store.write(lambda session: session.build_index(namespace, definition["name"], 2))).ready:
            pass

    def documents(self, at: int | None = None, namespace: str = NS, **scan: Any) -> list[dict[str, Any]]:
        with self.store.reading(at) as snapshot:
            return [codec.decode(body) for _, body in snapshot.documents(namespace, **scan)]

    def by_index(self, name: str, at: int | None = None, namespace: str = NS, **scan: Any) -> list[Any]:
        """The `_id`s in the order of an index."""
        with self.store.reading(at) as snapshot:
            entries = list(snapshot.entries(namespace, name, **scan))
            return [read(snapshot, namespace, key)["_id"] for _, key in entries]


def read(snapshot: Snapshot, namespace: str, key: bytes) -> dict[str, Any]:
    body = snapshot.get(namespace, key)
    assert body is not None
    return codec.decode(body)


def replace(session: WriteSession, namespace: str, document: dict[str, Any]) -> None:
    key = record_key(document["_id"])
    session.replace(namespace, key, read(session, namespace, key), document)


def remove(session: WriteSession, namespace: str, identifier: Any) -> None:
    key = record_key(identifier)
    session.remove(namespace, key, read(session, namespace, key))
