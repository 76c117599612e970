"""Updates and deletes: of the first document that matches, or of all.

A change is short where that is possible: the transaction itself looks at a few candidates (`limits.CHANGE_LOOKS`),
which is enough for an `_id`, a selective index or a small collection, and then search and change are one step. A longer
search runs on the reader thread first, and the transaction looks at each found document again before it changes it.

A change of many documents runs in slices, in the order of `_id`; the ledger remembers after which `_id` the next slice
begins, so that each document is changed once, whatever happens in between. Whether every match can be changed is
tried before the first is: an error leaves all as it was.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from laura_fast.limits import database as limits
from laura_fast.node.database.access import START
from laura_fast.node.database.finding import Finder, look
from laura_fast.node.database.once import recall, record_progress, record_response
from laura_fast.node.database.replication import outcome_unknown
from laura_fast.node.database.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.access import Access
    from laura_fast.node.database.once import Ticket
    from laura_fast.node.database.readers import Readers
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore


class Counts(msgspec.Struct, array_like=True, frozen=True):
    """What was done so far.

    Attributes:
        matched: Documents that matched.
        modified: Those that are different now.
        after: `_id` key of the last one that a slice took.
        upserted_id: BSON `{"_id": …}` of the document that was made, or empty.
    """

    matched: int = 0
    modified: int = 0
    after: bytes = b""
    upserted_id: bytes = b""


_encode_counts: Final = msgspec.msgpack.Encoder().encode
_decode_counts: Final = msgspec.msgpack.Decoder(Counts).decode


class Begun(NamedTuple):
    """A change of many, part of which is done.

    Attributes:
        counts: By the slices so far.
        term: In which they were seen in the log. A primary that lost its office since may have undone them.
    """

    counts: Counts
    term: int


class Change(Protocol):
    """What happens to a document."""

    def find(self, data: bytes) -> Document | None:
        """The document in these bytes, if this is about it."""

    def check(self, document: Document) -> None:
        """Raises what `apply` would raise; changes nothing."""

    def apply(self, session: WriteSession, id_key: bytes, document: Document) -> bool:
        """Changes it; whether it is different now."""

    def missing(self, session: WriteSession) -> bytes:
        """Nothing matched: makes a document if that is asked for. BSON `{"_id": …}` of it, or empty."""


@dataclass(frozen=True, slots=True)
class Job:
    """One update or delete.

    Attributes:
        namespace: Of the collection.
        choose: The way to the documents that may match.
        change: What happens to them.
        multi: To all, not to the first.
        request: Its ticket; None for a request without an id.
        respond: Makes the answer that is recorded.
        budget: Made anew for each search.
    """

    namespace: str
    choose: Callable[[Snapshot], Access]
    change: Change
    multi: bool
    request: Ticket | None
    respond: Callable[[Counts], bytes]
    budget: Callable[[], Budget]


class Changes:
    """Runs updates and deletes."""

    def __init__(self, store: DocumentStore, readers: Readers) -> None:
        self._store = store
        self._readers = readers

    async def run(self, job: Job) -> bytes:
        """The answer to a job, on disk together with what it changed.

        Raises:
            AlreadyExistsError: REQUEST_ID_REUSED, or DUPLICATE_KEY of a unique index.
            InvalidArgumentError: A document that matches can't be changed so; it names the field.
            OverloadedError, DeadlineError: The search needs more than the budget. Nothing was changed.
            UnavailableError: OUTCOME_UNKNOWN: this node lost its office on the way.
        """
        step = await write(self._store, job.request, partial(_short, job))
        if isinstance(step, bytes):
            return step
        return await (self._all(job, step) if job.multi else self._first(job))

    def _finder(self, job: Job) -> Finder:
        return Finder(self._store, job.choose, job.change.find)

    async def _first(self, job: Job) -> bytes:
        finder, place = self._finder(job), START
        while found := await self._readers.run(partial(finder.next, place, job.budget())):
            place = found
            if answer := await write(self._store, job.request, partial(_one, job, place.id_key)):
                return answer
        return await write(self._store, job.request, partial(_finish, job, Counts()))

    async def _all(self, job: Job, begun: Begun) -> bytes:
        finder = self._finder(job)
        id_keys = await self._readers.run(partial(finder.all, job.change.check, job.budget()))
        while not isinstance(
            step := await write(self._store, job.request, partial(_slice, job, id_keys, begun)), bytes
        ):
            begun = step
        return step


def _short(job: Job, session: WriteSession) -> bytes | Begun:
    """Search and change in one; or, where that would take too long, what slices have done before a crash."""
    known = recall(session, job.request)
    if known is not None:
        if known.response is not None:
            return known.response
        return Begun(_decode_counts(known.progress), session.changes.term)
    looked = look(session, job.choose(session), job.change.find, most=limits.CHANGE_LOOKS, wanted=0 if job.multi else 1)
    if not looked.complete:
        return Begun(Counts(), session.changes.term)
    modified = sum(job.change.apply(session, id_key, document) for id_key, document in looked.found.items())
    return _finish(job, Counts(len(looked.found), modified), session)


def _one(job: Job, id_key: bytes, session: WriteSession) -> bytes | None:
    """Changes one document that matched a moment ago; None if it does not any more."""
    data = session.get(job.namespace, id_key)
    document = None if data is None else job.change.find(data)
    if document is None:
        return None
    return _finish(job, Counts(1, int(job.change.apply(session, id_key, document))), session)


def _slice(job: Job, id_keys: list[bytes], begun: Begun, session: WriteSession) -> bytes | Begun:
    """Changes the next few documents behind `begun.counts.after`; the answer with the last ones."""
    if session.changes.term != begun.term:
        raise outcome_unknown()
    matched, modified, size = begun.counts.matched, begun.counts.modified, 0
    begin = bisect_right(id_keys, begun.counts.after)
    for place, id_key in enumerate(id_keys[begin:], begin):
        if place - begin >= limits.WRITE_SLICE_DOCUMENTS or size >= limits.WRITE_SLICE_BYTES:
            done = Counts(matched, modified, id_keys[place - 1])
            record_progress(session, job.request, _encode_counts(done))
            return Begun(done, begun.term)
        data = session.get(job.namespace, id_key)
        if data is not None and (document := job.change.find(data)) is not None:
            matched += 1
            modified += job.change.apply(session, id_key, document)
            size += len(data)
    return _finish(job, Counts(matched, modified), session)


def _finish(job: Job, counts: Counts, session: WriteSession) -> bytes:
    if not counts.matched:
        counts = Counts(upserted_id=job.change.missing(session))
    response = job.respond(counts)
    record_response(session, job.request, response)
    return response
