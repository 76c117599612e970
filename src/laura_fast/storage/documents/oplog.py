"""The log of everything that happened to the documents of this node, as it is stored and replicated.

Op ids are contiguous; terms never fall and commit times always rise with them. An entry is idempotent: it says what
became of one document, not how (WIRE-CONTRACT, payload conventions).

=================  ==========================  ===================  ================================================
operation          document                    query                update
=================  ==========================  ===================  ================================================
NOOP
INSERT             the document
UPDATE                                         {"_id": …}           {"$set": …, "$unset": …} of results, or the whole
                                                                    document as it became
DELETE                                         {"_id": …}
CREATE_COLLECTION
DROP_COLLECTION
CREATE_INDEX       the definition
DROP_INDEX         {"name": …}
=================  ==========================  ===================  ================================================

The entries of one job stand together: all but the last say that more follow. Whoever takes or undoes entries of a job
takes or undoes all of them, so that what a request did and the record that it did it are never parted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import bson
import msgspec
import xxhash

from laura_fast.domain.documents import codec
from laura_fast.errors import DataLossError, FailedPreconditionError, OutOfRangeError
from laura_fast.storage.documents.layout import Head, pack_number, unpack_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader

_CHECK_BYTES = 8


class Operation(IntEnum):
    """What an entry does; the numbers are those of `OperationType` in the contract."""

    NOOP = 0
    INSERT = 1
    UPDATE = 2
    DELETE = 3
    CREATE_COLLECTION = 4
    DROP_COLLECTION = 5
    CREATE_INDEX = 6
    DROP_INDEX = 7


class OplogEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry. See the module for what its payloads hold.

    Attributes:
        op_id: Its position, from 1.
        term: Of the primary that wrote it.
        time: Commit time.
        operation: What it does.
        namespace: `database.collection`; empty for NOOP.
        document: BSON.
        query: BSON.
        update: BSON.
        request_id: Of the client's request that caused it; empty when it had none.
        txn_id: Of the transaction; 0 outside one.
        txn_key: Of the transaction among nodes; empty outside one.
        outcomes: What the ledger learns with it: hashes of requests, and their outcomes.
        more: The next entry is of the same job.
    """

    op_id: int
    term: int
    time: int
    operation: int
    namespace: str
    document: bytes = b""
    query: bytes = b""
    update: bytes = b""
    request_id: str = ""
    txn_id: int = 0
    txn_key: str = ""
    outcomes: tuple[tuple[bytes, bytes], ...] = ()
    more: bool = False

    @property
    def size(self) -> int:
        """Bytes of its payloads."""
        payloads = len(self.document) + len(self.query) + len(self.update)
        return payloads + sum(len(outcome) for _, outcome in self.outcomes)


def payload(document: Mapping[str, Any]) -> bytes:
    """BSON of a query or a delta that was made from documents which passed the codec's checks: nothing is checked."""
    return bson.encode(document, codec_options=codec.OPTIONS)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(OplogEntry).decode
_hash = xxhash.xxh3_64_digest


def encode_entry(entry: OplogEntry) -> bytes:
    """The stored form: a hash of the entry, then the entry."""
    body = _encode(entry)
    return _hash(body) + body


def decode_entry(op_id: int, data: bytes) -> OplogEntry:
    """The entry in a stored value.

    Raises:
        DataLossError: DAMAGED: the hash is another one, or the entry belongs to another op id.
    """
    body = data[_CHECK_BYTES:]
    if _hash(body) != data[:_CHECK_BYTES]:
        raise DataLossError(f"oplog entry {op_id} is damaged: its check fails", "DAMAGED")
    entry = _decode(body)
    if entry.op_id != op_id:
        raise DataLossError(f"oplog entry {op_id} is damaged: it holds entry {entry.op_id}", "DAMAGED")
    return entry


def first_id(reader: Reader, tables: Tables, head: Head) -> int:
    """Op id of the oldest entry that is kept; the id after the newest when none is."""
    for key, _ in reader.scan(tables.oplog):
        return int(unpack_number(key)[0])
    return head.op_id + 1


def entry_at(reader: Reader, tables: Tables, op_id: int) -> OplogEntry | None:
    """One entry; None where it is not kept or not written yet."""
    data = reader.get(tables.oplog, pack_number(op_id))
    return decode_entry(op_id, data) if data else None


def job_end(reader: Reader, tables: Tables, op_id: int) -> int:
    """Op id of the newest entry up to this one with which a job ended; what is not kept any more counts as an end."""
    while op_id and (entry := entry_at(reader, tables, op_id)) and entry.more:
        op_id -= 1
    return op_id


def read_all(reader: Reader, tables: Tables) -> Iterator[OplogEntry]:
    """Every entry that is kept, in order.

    Raises:
        DataLossError: DAMAGED: the disk changed an entry.
    """
    for key, data in reader.scan(tables.oplog):
        yield decode_entry(unpack_number(key)[0], data)


def read_from(reader: Reader, tables: Tables, head: Head, start: int) -> Iterator[OplogEntry]:
    """All entries from `start` (inclusive) on, in order.

    Raises:
        OutOfRangeError: `start` is beyond the entry after the newest: the reader has another history.
        FailedPreconditionError: `start` is no longer kept.
        DataLossError: DAMAGED: the disk changed an entry.
    """
    if start > head.op_id + 1:
        raise OutOfRangeError(f"the oplog ends at {head.op_id}; asked from {start}", "DIVERGED")
    for number, (key, data) in enumerate(reader.scan(tables.oplog, pack_number(start)), start):
        op_id = unpack_number(key)[0]
        if op_id != number:
            raise _truncated(start)
        yield decode_entry(op_id, data)
    if start <= head.op_id and reader.get(tables.oplog, pack_number(head.op_id)) is None:
        raise _truncated(start)


def _truncated(start: int) -> FailedPreconditionError:
    return FailedPreconditionError(
        f"oplog truncated, initial sync required: entry {start} is no longer kept", "OPLOG_TRUNCATED"
    )
