"""Undoing the newest entries of the log, newest first, by the old images that were kept for it.

The state after each step is that after the entry before, as if the undone ones had never been: documents with their
commit times, indexes, collections, the log's end, and the ledger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from laura_fast.domain.documents import codec
from laura_fast.errors import FailedPreconditionError
from laura_fast.storage.documents import oplog, schema
from laura_fast.storage.documents.applying import build_at_once, put_image
from laura_fast.storage.documents.changes import decode_ended
from laura_fast.storage.documents.layout import pack_number, record_key
from laura_fast.storage.documents.oplog import Operation
from laura_fast.storage.documents.reading import horizon

if TYPE_CHECKING:
    from laura_fast.storage.documents.catalog import Collection, CompileIndex
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.oplog import OplogEntry


def roll_back(changes: Changes, compile_index: CompileIndex, op_id: int, limit: int) -> list[OplogEntry]:
    """See `WriteSession.roll_back`."""
    target = max(op_id, changes.op_id - limit)
    undone = [_entry(changes, number) for number in range(changes.op_id, target, -1)]
    for entry in undone:
        _undo(changes, compile_index, entry)
        changes.writer.delete(changes.tables.oplog, pack_number(entry.op_id))
    last = _entry(changes, target) if target else None
    changes.rewind(target, last.term if last else 0, last.time if last else 0)
    if undone and changes.time < horizon(changes.writer, changes.tables):
        raise FailedPreconditionError(f"what was before entry {target + 1} is no longer known", "ROLLBACK_IMPOSSIBLE")
    changes.ledger.forget_after(changes.writer, target, changes.time)
    for collection in list(changes.catalog.collections.values()):
        _let_answer(changes, collection)
    return undone


def _entry(changes: Changes, op_id: int) -> OplogEntry:
    entry = oplog.entry_at(changes.writer, changes.tables, op_id)
    if entry is None:
        raise FailedPreconditionError(f"oplog entry {op_id} is no longer kept", "ROLLBACK_IMPOSSIBLE")
    return entry


def _undo(changes: Changes, compile_index: CompileIndex, entry: OplogEntry) -> None:
    collection = changes.catalog.collections.get(entry.namespace)
    if entry.operation == Operation.DROP_COLLECTION:
        _restore_collection(changes, entry)
    elif collection is None:
        return
    elif entry.operation == Operation.INSERT:
        put_image(changes, collection, record_key(codec.decode_stored(entry.document)["_id"]), None)
    elif entry.operation in {Operation.UPDATE, Operation.DELETE}:
        _restore_image(changes, collection, entry)
    elif entry.operation == Operation.CREATE_COLLECTION:
        schema.take_collection(changes, collection, collection.since, 0)
    elif entry.operation == Operation.CREATE_INDEX:
        index = collection.index(codec.decode_stored(entry.document)["name"])
        if index:
            schema.take_index(changes, collection, index, entry.time, 0)
    elif entry.operation == Operation.DROP_INDEX:
        _restore_index(changes, compile_index, collection, entry)


def _restore_image(changes: Changes, collection: Collection, entry: OplogEntry) -> None:
    tables, writer, end = changes.tables, changes.writer, pack_number(entry.time)
    key = record_key(codec.decode_stored(entry.query)["_id"])
    image = writer.get(tables.versions, collection.prefix + key + end)
    ended = writer.get(tables.expiry, end)
    if image is None or ended is None:
        raise FailedPreconditionError(f"what entry {entry.op_id} replaced is no longer kept", "ROLLBACK_IMPOSSIBLE")
    put_image(changes, collection, key, image)
    version, removed = decode_ended(ended)
    writer.delete(tables.versions, version)
    writer.delete(tables.expiry, end)
    for place in removed:
        writer.delete(tables.removed, place)


def _dropped(changes: Changes, entry: OplogEntry) -> Collection:
    for gone in changes.catalog.dropped.values():
        if gone.drop_id == entry.op_id:
            return gone
    raise FailedPreconditionError(f"what entry {entry.op_id} dropped is no longer kept", "ROLLBACK_IMPOSSIBLE")


def _restore_collection(changes: Changes, entry: OplogEntry) -> None:
    gone = _dropped(changes, entry)
    changes.forget_collection(gone)
    changes.set_collection(schema.revived(gone))


def _restore_index(changes: Changes, compile_index: CompileIndex, collection: Collection, entry: OplogEntry) -> None:
    """Nobody maintained the dropped entries any more, so the index is built anew.

    The old ones stay dropped, but by no entry: the next one with this op id may drop something else.
    """
    gone = _dropped(changes, entry)
    changes.set_collection(replace(gone, drop_id=0))
    build_at_once(changes, compile_index, collection, dict(gone.indexes[0].definition), entry.time)


def _let_answer(changes: Changes, collection: Collection) -> None:
    """Indexes that were built anew answer for the new end of the log, not for any time before."""
    restored = [index for index in collection.indexes if index.since > changes.time]
    for index in restored:
        collection = collection.with_index(replace(index, since=changes.time))
    if restored:
        changes.set_collection(collection)
