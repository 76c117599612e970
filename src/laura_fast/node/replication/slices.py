"""Entries of a log become documents in jobs of bounded length: an index is built in slices before its entry."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from laura_fast.domain.documents import codec
from laura_fast.limits import indexes as limits
from laura_fast.storage.documents.oplog import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

    Job = Callable[[WriteSession, Sequence[OplogEntry]], None]


async def apply(store: DocumentStore, entries: Sequence[OplogEntry], job: Job, check: Callable[[], None]) -> None:
    """Runs a job over the entries, in several transactions where an index is to be built.

    Args:
        store: Of the documents.
        entries: In order, whole jobs of the primary.
        job: Takes some of them.
        check: Raises where this member may not take entries, in each transaction.
    """
    for part in parts(entries):
        if part[0].operation == Operation.CREATE_INDEX:
            await _prepare(store, part[0], check)
        await store.write(partial(_checked, check, job, part), guarded=False)


def parts(entries: Sequence[OplogEntry]) -> Iterator[Sequence[OplogEntry]]:
    """The entries, cut before each index with which a job begins; one within a job is of an empty collection."""
    begin = 0
    for place, entry in enumerate(entries):
        if place > begin and entry.operation == Operation.CREATE_INDEX and not entries[place - 1].more:
            yield entries[begin:place]
            begin = place
    if entries:
        yield entries[begin:]


def _checked(check: Callable[[], None], job: Job, part: Sequence[OplogEntry], session: WriteSession) -> None:
    check()
    job(session, part)


async def _prepare(store: DocumentStore, entry: OplogEntry, check: Callable[[], None]) -> None:
    definition = codec.decode_stored(entry.document)

    def job(session: WriteSession) -> bool:
        check()
        return session.prepare_index(entry.namespace, definition, limits.INDEX_BUILD_DOCUMENTS)

    while not await store.write(job, guarded=False):
        pass
