"""Entries that others bring one by one (AppendOplog).

A primary makes writes of them. A secondary writes nothing but what it pulled: it waits until its log has the entry, and
tells whether it is the same. So no push can make a log differ from the primary's under the same term and id.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.codec import decode, decode_stored
from laura_fast.domain.documents.updates import apply_delta
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, OutOfRangeError
from laura_fast.node.database.names import namespace
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.oplog import Operation

if TYPE_CHECKING:
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore


class Pushes:
    """What this member makes of entries that are brought to it."""

    def __init__(self, member: ReplicaSet, store: DocumentStore) -> None:
        self._member = member
        self._store = store

    async def take(self, entry: OplogEntry, seconds: float) -> int:
        """The op id of the entry, once a majority has it or, on a secondary, once it is there.

        Args:
            entry: With op id 0 = the next one. Without a term or time, any will do.
            seconds: How long a secondary waits for what its primary has.

        Raises:
            AlreadyExistsError: CONFLICT: another entry has its op id.
            OutOfRangeError: GAP: entries before it are missing.
            FailedPreconditionError: NOT_PRIMARY: it has no op id, and only a primary gives one.
            RpcError: What else a write raises.
        """
        if entry.op_id and entry.op_id <= self._store.head.op_id:
            op_id = self._compare(entry)
            if self._member.leads:
                await self._member.wait(op_id, WriteConcern())
            return op_id
        if self._member.leads or not entry.op_id:
            return await self._write(entry)
        if entry.op_id > self._store.head.op_id + 1:
            raise _gap(self._store.head.op_id + 1)
        async with asyncio.timeout(seconds):
            await self._member.news.until(lambda: entry.op_id <= self._store.head.op_id)
        return self._compare(entry)

    def _compare(self, entry: OplogEntry) -> int:
        [ours] = self._store.read_oplog(entry.op_id, 1, 1)
        names = ["operation", "namespace", "document", "query", "update", "request_id", "txn_id", "txn_key"]
        names += [name for name in ("term", "time") if getattr(entry, name)]
        if any(getattr(ours, name) != getattr(entry, name) for name in names):
            raise AlreadyExistsError(f"conflict at op {entry.op_id}", "CONFLICT")
        return entry.op_id

    async def _write(self, entry: OplogEntry) -> int:
        self._member.lead()
        _check(entry)

        def job(session: WriteSession) -> int:
            expected = session.changes.op_id + 1
            if entry.op_id and entry.op_id != expected:
                raise _gap(expected)
            _apply(session, entry)
            if entry.op_id and session.changes.op_id != entry.op_id:
                raise NotFoundError(f"{entry.namespace} is not there; its creation comes first", "NO_COLLECTION")
            return session.changes.op_id

        op_id = await self._store.write(job, request_id=entry.request_id)
        await self._member.wait(op_id, WriteConcern())
        return op_id


def _gap(expected: int) -> OutOfRangeError:
    return OutOfRangeError(f"gap: expected {expected}", "GAP")


def _check(entry: OplogEntry) -> None:
    database, _, collection = entry.namespace.partition(".")
    namespace(database, collection)
    if entry.txn_id or entry.txn_key:
        raise InvalidArgumentError("entries of transactions are not taken yet", "TRANSACTION")


def _apply(session: WriteSession, entry: OplogEntry) -> None:
    """Makes the write that the entry stands for, with all its checks."""
    place = entry.namespace
    match entry.operation:
        case Operation.INSERT:
            session.insert(place, _with_id(decode(entry.document)), entry.document)
        case Operation.UPDATE:
            key, before = _existing(session, entry)
            update = decode(entry.update)
            whole = "_id" in update
            session.replace(place, key, before, update if whole else apply_delta(before, update), None)
        case Operation.DELETE:
            session.remove(place, *_existing(session, entry))
        case Operation.CREATE_COLLECTION:
            session.create_collection(place)
        case Operation.DROP_COLLECTION:
            session.drop_collection(place)
        case other:
            raise InvalidArgumentError(f"operation {other} can't be brought as an entry", "OPERATION")


def _with_id(document: dict[str, Any]) -> dict[str, Any]:
    if "_id" not in document:
        raise InvalidArgumentError("an entry names its document by _id", "NO_ID")
    return document


def _existing(session: WriteSession, entry: OplogEntry) -> tuple[bytes, dict[str, Any]]:
    """Record key and content of the document that the entry is about."""
    identifier = _with_id(decode(entry.query))["_id"]
    key = record_key(identifier)
    body = session.get(entry.namespace, key) if session.collection(entry.namespace) else None
    if body is None:
        raise NotFoundError(f"{entry.namespace} has no document with _id {identifier!r}", "NO_DOCUMENT")
    return key, decode_stored(body)
