"""Documents and index entries, each against the other, and old images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson.errors import BSONError

from laura_fast.domain.documents import codec
from laura_fast.errors import RpcError
from laura_fast.storage.documents import indexing
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import ID_BYTES, TIME_BYTES, after, pack_number, record_key, unpack_number
from laura_fast.storage.documents.sealing import body_of, time_of

if TYPE_CHECKING:
    from laura_fast.storage.documents.catalog import Collection, Index
    from laura_fast.storage.documents.verification.report import Report
    from laura_fast.storage.documents.verification.slices import View


def check_record(report: Report, view: View, key: bytes, record: bytes) -> None:
    """A record decodes, lies at its key, is not from the future, and has its index entries."""
    prefix = key[:ID_BYTES]
    collection = view.collections.get(prefix)
    if collection is None:
        if prefix not in view.dropped:
            report.found(f"record {key.hex()} belongs to no collection")
        return
    report.documents += 1
    document = _decoded(collection, key[ID_BYTES:], record, report)
    if document is None:
        return
    if time_of(record) > view.head.time:
        report.found(f"{collection.namespace}: document {document['_id']!r} is newer than the end of the log")
    for index in collection.indexes:
        _check_entries(view, index, key[ID_BYTES:], document, report)


def _decoded(collection: Collection, key: bytes, image: bytes, report: Report) -> dict[str, Any] | None:
    try:
        document = codec.decode(body_of(image))
        found = record_key(document["_id"])
    except (RpcError, BSONError, KeyError) as error:
        report.found(f"{collection.namespace}: record {key.hex()} does not decode: {error}")
        return None
    if found != key:
        report.found(f"{collection.namespace}: record {key.hex()} holds the document {document['_id']!r}")
        return None
    return document


def _check_entries(view: View, index: Index, key: bytes, document: dict[str, Any], report: Report) -> None:
    if index.state is IndexState.BUILDING and key > index.progress:
        return
    for entry in indexing.keys_in(index, key, document):
        length = view.reader.get(view.tables.entries, entry)
        if length is None:
            report.found(f'index "{index.name}" lacks an entry of document {document["_id"]!r}')
        elif length[0] != len(key):
            report.found(f'index "{index.name}" has a wrong value for document {document["_id"]!r}')


def check_entry(report: Report, view: View, entry: bytes, length: bytes) -> None:
    """An index entry has a document, and that document has it."""
    prefix = entry[:ID_BYTES]
    if prefix not in view.indexes:
        if prefix not in view.dropped:
            report.found(f"entry {entry.hex()} belongs to no index")
        return
    report.entries += 1
    collection, index = view.indexes[prefix]
    key = entry[-length[0] :]
    record = view.reader.get(view.tables.records, collection.prefix + key)
    if record is None:
        report.found(f'index "{index.name}" of {collection.namespace} has an entry of no document: {entry.hex()}')
    elif entry not in _entries_of(index, key, record):
        report.found(f'index "{index.name}" of {collection.namespace} has an entry its document lacks: {entry.hex()}')


def _entries_of(index: Index, key: bytes, record: bytes) -> list[bytes]:
    """None for a record that can't be read: it was reported as such."""
    try:
        return indexing.keys_in(index, key, codec.decode(body_of(record)))
    except (RpcError, BSONError):
        return []


def check_image(report: Report, view: View, key: bytes, image: bytes) -> None:
    """An old image decodes, lies at its key, ended after it began and before the next began, and will be collected."""
    collection = view.collections.get(key[:ID_BYTES])
    if collection is None:
        if key[:ID_BYTES] not in view.dropped:
            report.found(f"old image {key.hex()} belongs to no collection")
        return
    report.images += 1
    place, end = key[:-TIME_BYTES], unpack_number(key, len(key) - TIME_BYTES)[0]
    _decoded(collection, place[ID_BYTES:], image, report)
    began = time_of(image)
    if not began < end <= _next_begin(view, place, end):
        report.found(f"{collection.namespace}: old image {key.hex()} began at {began} and is not before what followed")
    if view.reader.get(view.tables.expiry, pack_number(end)) is None:
        report.found(f"{collection.namespace}: old image {key.hex()} would stay for ever")


def _next_begin(view: View, place: bytes, end: int) -> int:
    """When the next image of a record began, an old one or its own; far away where there is none."""
    for key, image in view.reader.scan(view.tables.versions, place + pack_number(end + 1), after(place)):
        if len(key) == len(place) + TIME_BYTES:
            return time_of(image)
    record = view.reader.get(view.tables.records, place)
    return time_of(record) if record else 1 << 64
