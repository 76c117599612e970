"""The order of the checks, and the pauses between them."""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from laura_fast.errors import DataLossError
from laura_fast.limits.storage import VERIFY_SLICE
from laura_fast.limits.units import MIB
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import Head
from laura_fast.storage.documents.verification.history import OplogCheck, check_outcome
from laura_fast.storage.documents.verification.records import check_entry, check_image, check_record
from laura_fast.storage.documents.verification.report import Report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from laura_fast.storage.documents.catalog import Collection
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore
    from laura_fast.storage.documents.verification.slices import Source

_REPLAY_BYTES = 4 * MIB


async def verify(source: Source, store: DocumentStore, replica: DocumentStore | None) -> AsyncIterator[Report]:
    """See `DocumentStore.verify`."""
    report, log, tables = Report(), OplogCheck(), source.tables
    checks = (
        (tables.records, check_record),
        (tables.entries, check_entry),
        (tables.versions, check_image),
        (tables.ledger, check_outcome),
    )
    for table, check in checks:
        for _ in source.walk(table, partial(check, report)):
            yield report
    head = Head()
    for head in source.walk(tables.oplog, partial(log.check, report)):  # noqa: B007 - the last one counts
        yield report
    log.finish(head, report)
    if replica and log.first <= 1 and log.whole:
        async for _ in _replay(store, replica, report):
            yield report
    report.finished = True
    yield report


async def _replay(store: DocumentStore, replica: DocumentStore, report: Report) -> AsyncIterator[None]:
    with store.reading() as ours:
        ours.close()
        while replica.head.op_id < ours.op_id:
            entries = store.read_oplog(replica.head.op_id + 1, VERIFY_SLICE, _REPLAY_BYTES)
            await _apply(replica, [entry for entry in entries if entry.op_id <= ours.op_id])
            yield
        try:
            with replica.reading() as theirs:
                for _ in _compare(ours, theirs, report):
                    yield
        except DataLossError as error:
            report.found(f"documents can't be compared with the replayed oplog: {error}")
    report.replayed = True


async def _apply(replica: DocumentStore, entries: list[OplogEntry]) -> None:
    def job(session: WriteSession) -> None:
        for entry in entries:
            session.append(entry)

    await replica.write(job)


def _compare(ours: Snapshot, theirs: Snapshot, report: Report) -> Iterator[None]:
    mine, other = ours.catalog.collections, theirs.catalog.collections
    if mine.keys() != other.keys():
        report.found(f"replaying the oplog gives other collections: {sorted(mine.keys() ^ other.keys())}")
    for namespace in mine.keys() & other.keys():
        if _ready(mine[namespace]) != _ready(other[namespace]):
            report.found(f"{namespace}: replaying the oplog gives other indexes")
        pairs = zip_longest(ours.documents(namespace), theirs.documents(namespace))
        for number, (found, replayed) in enumerate(pairs):
            if found != replayed:
                report.found(
                    f"{namespace}: replaying the oplog gives other documents: {found!r:.200}, {replayed!r:.200}"
                )
                break
            if number % VERIFY_SLICE == 0:
                yield


def _ready(collection: Collection) -> list[tuple[str, object]]:
    """Indexes by name: two that were built at once may have finished in either order."""
    indexes = (index for index in collection.indexes if index.state is IndexState.READY)
    return sorted(((index.name, index.definition) for index in indexes), key=lambda pair: pair[0])
