"""Letting go of what nobody needs any more, in slices: old images, outcomes, the oplog's beginning, dropped data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from laura_fast.limits.units import GIB
from laura_fast.storage.documents import oplog, times
from laura_fast.storage.documents.changes import decode_ended
from laura_fast.storage.documents.layout import HORIZON, after, pack_number, unpack_number
from laura_fast.storage.documents.reading import horizon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.storage.documents.catalog import Collection
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader, Table, Writer


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept.

    Attributes:
        window_ms: Reads at a time within it see that time; at least the longest life of a transaction (60 s) and 30 s.
        oplog_bytes: What the oplog may occupy: as long as a replica may be away before it must copy everything.
        oplog_ms: Older entries go even before the oplog is full; 0 = never.
    """

    window_ms: int = 90_000
    oplog_bytes: int = GIB
    oplog_ms: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one slice may take.

    Attributes:
        now_ms: By this node's clock.
        op_id: Entries below may go: neither newest, nor pinned, nor above the commit point.
        time: What ended up to this commit time may go: out of the window, and not above the commit point.
    """

    now_ms: int
    op_id: int
    time: int

    @classmethod
    def of(
        cls, changes: Changes, retention: Retention, now_ms: int, *, commit_point: int | None, pin: int | None
    ) -> Bounds:
        """The bounds at the newest state.

        Args:
            changes: Of the job.
            retention: What is kept anyway.
            now_ms: By this node's clock.
            commit_point: Op id up to which nothing will be rolled back; None = everything.
            pin: The oldest op id that somebody still needs; None = nobody does.
        """
        newest = changes.op_id
        committed = newest if commit_point is None else min(commit_point, newest)
        last = changes.time  # what rollbacks left may have ended later: its end must not move the horizon beyond now
        if committed < newest:
            entry = oplog.entry_at(changes.writer, changes.tables, committed)
            last = entry.time if entry else 0
        time = min(last, times.at_ms(max(0, now_ms - retention.window_ms)))
        return cls(now_ms, min(committed, newest if pin is None else pin), time)


def collect_slice(changes: Changes, retention: Retention, bounds: Bounds, limit: int) -> bool:
    """Removes up to `limit` things of each kind; tells whether there may be more."""
    writer, tables = changes.writer, changes.tables
    more = (
        _collect_images(writer, tables, bounds.time, limit),
        changes.ledger.collect(writer, bounds.now_ms, limit),
        _truncate_oplog(writer, tables, retention, bounds, limit),
        _purge_dropped(changes, bounds, limit),
    )
    return any(more)


def _collect_images(writer: Writer, tables: Tables, time: int, limit: int) -> bool:
    """Removes images and entries that ended up to `time`; reads before their ends are refused from then on."""
    ended = list(islice(writer.scan(tables.expiry, b"", pack_number(time + 1)), limit))
    for end, value in ended:
        image, entries = decode_ended(value)
        writer.delete(tables.versions, image)
        for entry in entries:
            writer.delete(tables.removed, entry)
        writer.delete(tables.expiry, end)
    if ended:
        _raise_horizon(writer, tables, unpack_number(ended[-1][0])[0])
    return len(ended) == limit


def _raise_horizon(writer: Writer, tables: Tables, time: int) -> None:
    if time > horizon(writer, tables):
        writer.put(tables.state, HORIZON, pack_number(time))


def _truncate_oplog(writer: Writer, tables: Tables, retention: Retention, bounds: Bounds, limit: int) -> bool:
    keys = [key for key, _ in islice(writer.scan(tables.oplog, b"", pack_number(bounds.op_id)), limit)]
    excess = _excess(writer, tables, retention.oplog_bytes)
    cut = max(min(excess, len(keys)), _expired(writer, tables, retention, bounds.now_ms, len(keys)))
    for key in keys[:cut]:
        writer.delete(tables.oplog, key)
    return cut == limit


def _excess(reader: Reader, tables: Tables, allowed: int) -> int:
    """How many entries of average size are beyond the bytes that the oplog may occupy."""
    entries, used = reader.entries(tables.oplog), reader.used_bytes(tables.oplog)
    return (used - allowed) * entries // used if used > allowed else 0


def _expired(reader: Reader, tables: Tables, retention: Retention, now_ms: int, limit: int) -> int:
    """How many of the oldest entries are older than the oplog's age."""
    if not retention.oplog_ms:
        return 0
    oldest = times.at_ms(max(0, now_ms - retention.oplog_ms))
    entries = islice(oplog.read_all(reader, tables), limit)
    return next((number for number, entry in enumerate(entries) if entry.time >= oldest), limit)


def _purge_dropped(changes: Changes, bounds: Bounds, limit: int) -> bool:
    """Removes data of one dropped collection or index, and the last trace of it when there is no more."""
    gone = next((gone for gone in changes.catalog.dropped.values() if gone.dropped <= bounds.time), None)
    if gone is None:
        return False
    _raise_horizon(changes.writer, changes.tables, gone.dropped)
    doomed = list(islice(_data_of(changes, gone), limit))
    for table, key in doomed:
        changes.writer.delete(table, key)
    if len(doomed) < limit:
        changes.forget_collection(gone)
    return True


def _data_of(changes: Changes, gone: Collection) -> Iterator[tuple[Table, bytes]]:
    tables = changes.tables
    places = [(tables.records, gone.prefix), (tables.versions, gone.prefix)]
    for index in gone.indexes:
        places += [(tables.entries, index.prefix), (tables.removed, index.prefix)]
    for table, prefix in places:
        for key, _ in changes.writer.scan(table, prefix, after(prefix)):
            yield table, key
