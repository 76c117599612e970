"""What members keep their logs and registers in: lists, or the storage engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.node.replication import document_log, stored
from laura_fast.node.replication.copies import ADMITTED, SYNC
from laura_fast.storage.crash_points import POINTS
from laura_fast.storage.documents import oplog
from laura_fast.storage.documents.layout import HEAD, OWN, Tables, record_key, unpack_head
from laura_fast.storage.documents.oplog import Operation
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.disks import SimulatedDisk, StoreDisk
from laura_fast.testing.sim.listed import Listed, ListedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.domain.replication.events import Ballot
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.storage.documents.copying import Place, Portion
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.testing.sim.listed import Session

NAMESPACE: Final = "sim.registers"
_BALLOT: Final = document_log.BALLOT
PORTION_BYTES: Final = 1
"""Of one part of a copy: one document, so that faults meet copies that are under way."""


class Engine(Protocol):
    """One kind of storage; stateless.

    Attributes:
        points: The named crash points that it passes.
        collects: Whether its stores let go of the past by `collect`.
        copies: Whether a member without documents gets them by an initial sync.
    """

    points: tuple[str, ...]
    collects: bool
    copies: bool

    def files(self) -> Any:
        """An empty disk's."""

    def open(self, files: Any, now_ms: Callable[[], int], batch: int, *disk: Any, **named: Any) -> tuple[Any, Any]:
        """The store of a life that begins, and its disk."""

    def put(self, session: Any, register: str, value: bytes) -> int:
        """Sets a register; the op id."""

    def read(self, store: Any, register: str, at: int | None) -> bytes | None:
        """What a register holds at a commit time; None = now."""

    def ballot(self, files: Any) -> Ballot:
        """As kept on disk."""

    def configuration(self, files: Any) -> Configuration | None:
        """As kept on disk; None = none is."""

    def whole(self, files: Any) -> bool:
        """Whether what the member may have acknowledged is on disk: not before its initial sync is complete."""

    def last_id(self, files: Any) -> int:
        """Op id of the last entry on disk."""

    def entries(self, files: Any, first: int) -> Sequence[OplogEntry]:
        """Those on disk from this op id on; of a log that was copied, all from its beginning on."""

    def registers(self, files: Any) -> dict[str, bytes]:
        """All of them, as they are on disk."""

    def replayed(self, entries: Sequence[OplogEntry]) -> dict[str, bytes]:
        """What these entries make of empty ones."""


class Lists:
    """`Engine` of lists."""

    points: tuple[str, ...] = tuple(point for point in POINTS if point != "collecting")
    collects = False
    copies = False

    def files(self) -> Listed:
        return Listed()

    def open(
        self,
        files: Listed,
        now_ms: Callable[[], int],  # noqa: ARG002 - these entries bear no dates
        batch: int,
        *given: Any,
        **named: Any,
    ) -> tuple[DocumentStore, SimulatedDisk[Session]]:
        disk = SimulatedDisk[Any](files, *given, **named)
        return cast("DocumentStore", ListedStore(files, disk, batch)), disk

    def put(self, session: Session, register: str, value: bytes) -> int:
        session.put(register, value)
        return session.op_id

    def read(self, store: ListedStore, register: str, at: int | None) -> bytes | None:
        return store.register(register, at)

    def ballot(self, files: Listed) -> Ballot:
        return document_log.decode_ballot(files.state.get(_BALLOT))

    def configuration(self, files: Listed) -> Configuration | None:
        kept = files.state.get(document_log.CONFIGURATION)
        return stored.decode(kept) if kept else None

    def whole(self, files: Listed) -> bool:  # noqa: ARG002 - nobody copies
        return True

    def last_id(self, files: Listed) -> int:
        return len(files.entries)

    def entries(self, files: Listed, first: int) -> Sequence[OplogEntry]:
        return files.entries[first - 1 :]

    def registers(self, files: Listed) -> dict[str, bytes]:
        return files.registers

    def replayed(self, entries: Sequence[OplogEntry]) -> dict[str, bytes]:
        return {entry.namespace: entry.document for entry in entries if entry.operation != Operation.NOOP}


class OneByOne(DocumentStore):
    """The storage engine; its copies come in small parts."""

    def copy(self, place: Place, max_bytes: int, names: Sequence[str] = ()) -> Portion:
        return super().copy(place, min(max_bytes, PORTION_BYTES), names)


class Documents:
    """`Engine` of documents: the storage engine of servers, over its tables in memory."""

    points: tuple[str, ...] = POINTS
    collects = True
    copies = True

    def files(self) -> MemoryStore:
        return MemoryStore()

    def open(
        self,
        files: MemoryStore,
        now_ms: Callable[[], int],
        batch: int,  # noqa: ARG002 - the engine's own limits hold
        *given: Any,
        **named: Any,
    ) -> tuple[DocumentStore, StoreDisk]:
        disk = StoreDisk(files, *given, **named)
        return OneByOne(disk, _no_index, now_ms=now_ms), disk

    def put(self, session: WriteSession, register: str, value: bytes) -> int:
        after = {"_id": register, "value": value}
        before = session.get(NAMESPACE, record_key(register)) if session.collection(NAMESPACE) else None
        if before is None:
            session.insert(NAMESPACE, after)
        else:
            session.replace(NAMESPACE, record_key(register), decode_stored(before), after)
        return session.changes.op_id

    def read(self, store: DocumentStore, register: str, at: int | None) -> bytes | None:
        with store.reading(at) as snapshot:
            there = snapshot.collection(NAMESPACE) is not None
            body = snapshot.get(NAMESPACE, record_key(register)) if there else None
        return decode_stored(body)["value"] if body else None

    def ballot(self, files: MemoryStore) -> Ballot:
        with files.read() as reader:
            return document_log.decode_ballot(reader.get(Tables.of(files).state, OWN + _BALLOT))

    def configuration(self, files: MemoryStore) -> Configuration | None:
        with files.read() as reader:
            kept = reader.get(Tables.of(files).state, OWN + document_log.CONFIGURATION)
        return stored.decode(kept) if kept else None

    def whole(self, files: MemoryStore) -> bool:
        state = Tables.of(files).state
        with files.read() as reader:
            return bool(reader.get(state, OWN + ADMITTED)) and not reader.get(state, OWN + SYNC)

    def last_id(self, files: MemoryStore) -> int:
        with files.read() as reader:
            return unpack_head(reader.get(Tables.of(files).state, HEAD)).op_id

    def entries(self, files: MemoryStore, first: int) -> Sequence[OplogEntry]:
        tables = Tables.of(files)
        with files.read() as reader:
            head = unpack_head(reader.get(tables.state, HEAD))
            return list(oplog.read_from(reader, tables, head, max(first, oplog.first_id(reader, tables, head))))

    def registers(self, files: MemoryStore) -> dict[str, bytes]:
        with DocumentStore(files, _no_index).reading() as snapshot:
            found = map(decode_stored, dict(snapshot.documents(NAMESPACE)).values())
            return {each["_id"]: each["value"] for each in found}

    def replayed(self, entries: Sequence[OplogEntry]) -> dict[str, bytes]:
        bodies = (entry.document or entry.update for entry in entries)
        documents = map(decode_stored, filter(None, bodies))
        return {each["_id"]: each["value"] for each in documents if "value" in each}


def _no_index(_definition: object) -> Any:
    raise NotImplementedError
