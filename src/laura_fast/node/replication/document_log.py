"""The documents of this node as the log of a member: what `ReplicaLog` asks, done in jobs of the storage engine.

Jobs run one after the other on the writer's thread. Whether this node may write is decided there, at the moment a job
runs: a write that waited while another member was elected is refused, not appended behind the new primary's entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from laura_fast.domain.replication.events import Ballot
from laura_fast.domain.replication.members import BEGINNING, Position
from laura_fast.errors import FailedPreconditionError, UnavailableError
from laura_fast.limits.replication import MAX_OPLOG_BATCH_BYTES, MAX_OPLOG_BATCH_ENTRIES, ROLLBACK_SLICE
from laura_fast.node.database.replication import HANDING_OVER
from laura_fast.node.replication import slices, stored
from laura_fast.node.replication.copies import DocumentCopies
from laura_fast.node.replication.moments import Moments

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.replication.ports import Copies
    from laura_fast.storage.documents.copying import Portion
    from laura_fast.storage.documents.layout import Head
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

Apart = Callable[[Callable[[], "Portion"]], Awaitable["Portion"]]
SaveUndone = Callable[[Sequence["OplogEntry"]], Awaitable[None]]
BALLOT: Final = b"ballot"
CONFIGURATION: Final = b"replica_set"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Ballot).decode


def decode_ballot(kept: bytes | None) -> Ballot:
    """The ballot in the state `BALLOT`; without one nobody was voted for yet."""
    return _decode(kept) if kept else Ballot()


async def at_once(read: Callable[[], Portion]) -> Portion:
    """Reads on the event loop."""
    return read()


def _append(session: WriteSession, entries: Sequence[OplogEntry]) -> None:
    for entry in entries:
        session.append(entry)


class DocumentLog:
    """`ReplicaLog` over a document store. Belongs to one event loop.

    Attributes:
        on_growth: Called on the loop after commits of this node's own writes.
        moments: How far the documents are, for reads.
        copies: Of everything, for members that need them.
    """

    def __init__(self, store: DocumentStore, save_undone: SaveUndone, apart: Apart = at_once) -> None:
        """Prepares; this node may not write before `lead`.

        Args:
            store: The documents. Its guard and commits are this log's from now on.
            save_undone: Makes durable what a rollback is about to undo.
            apart: Reads large portions where the event loop does not wait for them.
        """
        self.on_growth: Callable[[], None] = lambda: None
        self.moments = Moments(store)
        self.copies: Copies | None = DocumentCopies(store, apart)
        self._store = store
        self._save_undone = save_undone
        self._office = 0
        self._fences = 0
        self._paused = False
        self._telling = False
        self._loop = asyncio.get_running_loop()
        store.commit_point = store.commit_point or 0
        store.guard = self._check_office
        store.on_commit = self._committed

    @property
    def last(self) -> Position:
        return Position(self._store.head.term, self._store.head.op_id) if self._store.head.op_id else BEGINNING

    def waits_s(self, now: float) -> float:
        return self._store.waits_s(now)

    def ballot(self) -> Ballot:
        with self._store.reading() as snapshot:
            kept = snapshot.state(BALLOT)
        return decode_ballot(kept)

    async def keep_ballot(self, ballot: Ballot) -> None:
        await self._store.write(lambda session: session.set_state(BALLOT, _encode(ballot)), guarded=False)

    def configuration(self) -> Configuration | None:
        with self._store.reading() as snapshot:
            kept = snapshot.state(CONFIGURATION)
        return stored.decode(kept) if kept else None

    async def keep_configuration(self, configuration: Configuration) -> None:
        kept = stored.encode(configuration)
        await self._store.write(lambda session: session.set_state(CONFIGURATION, kept), guarded=False)

    async def pause(self) -> None:
        self._paused = True
        await self._store.write(lambda _session: None, guarded=False)  # behind all that was taken before

    def resume(self) -> None:
        self._paused = False

    async def lead(self, term: int) -> Position:
        fences = self._fences

        def job(session: WriteSession) -> None:
            if fences != self._fences:
                raise FailedPreconditionError("not primary: another term began", "NOT_PRIMARY")
            session.changes.term = term
            session.log_noop()
            self._office = term

        await self._store.write(job, guarded=False)
        self._store.term, self._paused = term, False
        return self.last

    def fence(self) -> None:
        self._office = self._store.term = 0  # entries that come carry their own terms
        self._fences += 1

    def read(self, start: int) -> Sequence[OplogEntry]:
        if start > self._store.head.op_id:
            return ()
        return self._store.read_oplog(start, MAX_OPLOG_BATCH_ENTRIES, MAX_OPLOG_BATCH_BYTES)

    def term_at(self, op_id: int) -> int | None:
        if op_id == self._store.head.op_id:
            return self._store.head.term
        if not op_id or op_id > self._store.head.op_id:
            return None if op_id else 0
        try:
            return self._store.read_oplog(op_id, 1, 1)[0].term
        except FailedPreconditionError:
            return None

    async def append(self, entries: Sequence[OplogEntry]) -> None:
        await slices.apply(self._store, entries, _append, self._check_no_office)

    async def roll_back(self, to: Position) -> None:
        while self.last.op_id > (target := self._store.job_end(max(to.op_id, self.last.op_id - ROLLBACK_SLICE))):
            await self._save_behind(target)

            def job(session: WriteSession, target: int = target, limit: int = self.last.op_id - target) -> None:
                self._check_no_office()
                session.roll_back(target, limit)

            await self._store.write(job, guarded=False)

    async def _save_behind(self, op_id: int) -> None:
        while op_id < self.last.op_id:
            undone = self.read(op_id + 1)
            await self._save_undone(undone)
            op_id = undone[-1].op_id

    @property
    def committed(self) -> int:
        return self._store.commit_point or 0

    def commit(self, op_id: int) -> None:
        self._store.commit_point = max(op_id, self.committed)
        self.moments.moved()

    def _check_office(self) -> None:
        if not self._office:
            raise FailedPreconditionError("not primary: writes go to the primary", "NOT_PRIMARY")
        if self._paused:
            raise UnavailableError("the primary hands over; ask again in a moment", HANDING_OVER)

    def _check_no_office(self) -> None:
        if self._office:
            raise FailedPreconditionError("this node leads: it takes no entries of others", "PRIMARY")

    def _committed(self, _head: Head) -> None:
        """On the writer's thread, once for each job: what a group of them needs to say, it says once."""
        if not self._telling and (self._office or self.moments.waited_for):
            self._telling = True
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._telling = False  # first: what is committed from now on tells of itself
        if self._office:
            self.on_growth()
        self.moments.moved()
