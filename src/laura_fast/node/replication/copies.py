"""Copies of all documents: what a primary gives to a member that needs one, and what that member makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from laura_fast.domain.replication.members import Position
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.replication import COPY_BYTES
from laura_fast.node.replication import slices
from laura_fast.storage.documents.copying import Place, decode_pieces

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from laura_fast.node.replication.messages import Copied
    from laura_fast.storage.documents.copying import Portion
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

Value = TypeVar("Value")
SYNC: Final = b"initial_sync"
ADMITTED: Final = b"admitted"


class Token(msgspec.Struct, frozen=True, array_like=True):
    """Where a copy goes on, whoever serves it.

    Attributes:
        start: End of the log when it began; what follows must be replayed over the copy.
        seen: End of the log in the newest state that was copied from: whoever goes on must have this entry.
        place: In the documents.
    """

    start: Position
    seen: Position
    place: Place


class SyncState(msgspec.Struct, frozen=True, array_like=True):
    """How far this member's initial sync is, as it is on disk.

    Attributes:
        token: To go on with.
        consistent: The copy is complete; with what the log says up to here it is one state. None = it is not complete.
        documents: Copied so far.
        size: Bytes of them.
        acknowledged: End of the log that this member had before, see `Election`; None = it came empty.
    """

    token: bytes
    consistent: Position | None = None
    documents: int = 0
    size: int = 0
    acknowledged: Position | None = None


encode = msgspec.msgpack.Encoder().encode
_token = msgspec.msgpack.Decoder(Token).decode
_state = msgspec.msgpack.Decoder(SyncState).decode


def decode_token(token: bytes) -> Token:
    """A token that we gave.

    Raises:
        InvalidArgumentError: RESUME_TOKEN: we did not.
    """
    try:
        return _token(token)
    except msgspec.MsgspecError:
        raise InvalidArgumentError("resume_after is no token of an initial sync", "RESUME_TOKEN") from None


class DocumentCopies:
    """Copies from and to a document store. Belongs to one event loop."""

    def __init__(self, store: DocumentStore, apart: Callable[[Callable[[], Portion]], Awaitable[Portion]]) -> None:
        """Prepares.

        Args:
            store: The documents.
            apart: Reads where the event loop does not wait for the disk.
        """
        self._store = store
        self._apart = apart

    # --- giving -------------------------------------------------------------------------------------------------------

    async def read(self, place: Place, names: Sequence[str]) -> Portion:
        """The next portion. Raises NotFoundError for a collection that isn't there."""
        return await self._apart(lambda: self._store.copy(place, COPY_BYTES, names))

    def pin(self, member: str, op_id: int | None) -> None:
        """Keeps the log from an entry on for a member; None = no longer."""
        if op_id is None:
            self._store.pins.pop(member, None)
        else:
            self._store.pins[member] = op_id

    def keeps(self, op_id: int) -> bool:
        """Whether the log still has what follows an entry."""
        return self._store.first_id() <= op_id + 1

    # --- taking -------------------------------------------------------------------------------------------------------

    @property
    def admitted(self) -> bool:
        """Whether this member holds what it may have acknowledged: it may stand for election."""
        with self._store.reading() as snapshot:
            if snapshot.state(SYNC):
                return False
            return bool(snapshot.state(ADMITTED)) or self._store.head.op_id > 0

    @property
    def state(self) -> SyncState | None:
        """Of the initial sync that is under way; None = none is."""
        with self._store.reading() as snapshot:
            kept = snapshot.state(SYNC)
        return _state(kept) if kept else None

    async def admit(self) -> None:
        """This member need not copy anything. Durable when it returns."""
        await self._store.write(lambda session: _set(session, None), guarded=False)

    async def begin(self, copied: Copied, acknowledged: Position | None) -> None:
        """Removes all documents and takes the first part of a copy. Durable when it returns.

        Args:
            copied: The part.
            acknowledged: See `SyncState`.
        """
        state = SyncState(b"", acknowledged=acknowledged)
        pieces = decode_pieces(copied.pieces)

        def job(session: WriteSession) -> None:
            session.begin_copy(copied.entry)
            session.take_copied(pieces)
            _set(session, _after(state, copied))

        await self._store.write(job, guarded=False)

    async def take(self, copied: Copied) -> None:
        """Takes another part. Durable when it returns."""
        state = self.state or SyncState(b"")
        pieces = decode_pieces(copied.pieces)

        def job(session: WriteSession) -> None:
            session.take_copied(pieces)
            _set(session, _after(state, copied))

        await self._store.write(job, guarded=False)

    async def replay(self, entries: Sequence[OplogEntry]) -> None:
        """Applies what the log says behind the beginning of the copy."""
        await slices.apply(self._store, entries, _replay, lambda: None)


def _replay(session: WriteSession, entries: Sequence[OplogEntry]) -> None:
    session.replay(entries)


def _after(state: SyncState, copied: Copied) -> SyncState:
    consistent = copied.seen if copied.complete else None
    documents, size = state.documents + copied.documents, state.size + len(copied.pieces)
    return SyncState(copied.token, consistent, documents, size, state.acknowledged)


def _set(session: WriteSession, state: SyncState | None) -> None:
    session.set_state(SYNC, encode(state) if state else b"")
    session.set_state(ADMITTED, b"" if state else b"1")
