"""What one job changes beside the documents themselves: the log grows, old images get an end, the catalog moves on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace as replace_entry

from laura_fast.storage.crash_points import reach
from laura_fast.storage.documents import times
from laura_fast.storage.documents.catalog import collection_key, encode_collection
from laura_fast.storage.documents.layout import HEAD, ID_BYTES, LAST_ID, Head, pack_head, pack_number
from laura_fast.storage.documents.oplog import Operation, OplogEntry, encode_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.storage.documents.catalog import Catalog, Collection
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.documents.ledger import Ledger
    from laura_fast.storage.ordered import Writer

encode_ended = msgspec.msgpack.Encoder().encode
decode_ended = msgspec.msgpack.Decoder(tuple[bytes, list[bytes]]).decode


class Changes:
    """Collects in memory what nobody reads before the job ends; `finish` writes it.

    Attributes:
        writer: Of the job.
        tables: Of the store.
        ledger: Of the store.
        outcomes: Of requests that this job served, by the hash of the request: its last entry will carry them.
        catalog: As this job left it so far.
        op_id: Of the newest entry.
        term: Of the entries to come.
        time: The newest commit time.
        request_id: Of the request that the job serves.
    """

    __slots__ = (
        "_ended",
        "_head",
        "_log_term",
        "_now",
        "_oplog",
        "_own",
        "_removed",
        "_token",
        "_versions",
        "catalog",
        "ledger",
        "op_id",
        "outcomes",
        "request_id",
        "tables",
        "term",
        "time",
        "writer",
    )

    def __init__(
        self,
        writer: Writer,
        tables: Tables,
        ledger: Ledger,
        head: Head,
        catalog: Catalog,
        *,
        term: int,
        now: int,
        token: Callable[[], int],
        request_id: str,
    ) -> None:
        self.writer = writer
        self.tables = tables
        self.ledger = ledger
        self.outcomes: dict[bytes, bytes] = {}
        self.catalog = catalog
        self.op_id = head.op_id
        self.term = max(term, head.term)
        self.time = head.time
        self.request_id = request_id
        self._head = head
        self._log_term = head.term
        self._now = times.at_ms(now)
        self._token = token
        self._own: list[OplogEntry] = []
        self._oplog: list[tuple[bytes, bytes]] = []
        self._versions: list[tuple[bytes, bytes]] = []
        self._removed: list[tuple[bytes, bytes]] = []
        self._ended: list[tuple[bytes, bytes]] = []

    def tick(self) -> int:
        """The commit time of the next change."""
        self.time = time = max(self.time + 1, self._now)
        return time

    def log(
        self,
        operation: Operation,
        namespace: str,
        time: int,
        *,
        document: bytes = b"",
        query: bytes = b"",
        update: bytes = b"",
    ) -> None:
        """Appends an entry of this job."""
        self.op_id = op_id = self.op_id + 1
        self._log_term = term = self.term
        request_id = self.request_id
        self._own.append(
            OplogEntry(op_id, term, time, operation, namespace, document, query, update, request_id, more=True)
        )

    def log_given(self, entry: OplogEntry) -> None:
        """Appends an entry of the primary, which the caller has checked to be the next."""
        self.op_id, self.term, self.time = entry.op_id, entry.term, entry.time
        self._log_term = entry.term
        self._oplog.append((pack_number(entry.op_id), encode_entry(entry)))
        self.learn(entry)

    def learn(self, entry: OplogEntry) -> None:
        """Keeps the outcomes that an entry carries."""
        for key, outcome in entry.outcomes:
            self.ledger.put(self.writer, key, outcome, entry.time, entry.op_id)

    def rewind(self, op_id: int, term: int, time: int) -> None:
        """Sets the end of the log back to an entry, after those behind it were undone."""
        self.op_id, self._log_term, self.time = op_id, term, time

    def end(self, time: int, key: bytes, image: bytes, entries: Sequence[bytes]) -> None:
        """Keeps what a change replaced or removed.

        Args:
            time: Commit time of the change.
            key: Collection id and record key.
            image: The record until then.
            entries: Its index entries that the change removed.
        """
        end = pack_number(time)
        self._versions.append((key + end, image))
        removed = [entry + end for entry in entries]
        self._removed += [(entry, bytes((len(key) - ID_BYTES,))) for entry in removed]
        self._ended.append((end, encode_ended((key + end, removed))))

    def new_id(self) -> int:
        """An id for a collection or an index."""
        last_id = self.catalog.last_id + 1
        self.catalog = replace(self.catalog, last_id=last_id)
        self.writer.put(self.tables.state, LAST_ID, pack_number(last_id))
        return last_id

    def set_collection(self, collection: Collection) -> None:
        """Adds or changes a collection, dropped or not."""
        self.writer.put(self.tables.catalog, collection_key(collection), encode_collection(collection))
        current, dropped = dict(self.catalog.collections), dict(self.catalog.dropped)
        if collection.dropped:
            dropped[collection.id] = collection
        else:
            current[collection.namespace] = collection
        self._set_catalog(current, dropped)

    def forget_collection(self, collection: Collection) -> None:
        """Takes a collection out of the catalog, of the dropped ones or of the others."""
        self.writer.delete(self.tables.catalog, collection_key(collection))
        current, dropped = dict(self.catalog.collections), dict(self.catalog.dropped)
        if collection.dropped:
            del dropped[collection.id]
        else:
            del current[collection.namespace]
        self._set_catalog(current, dropped)

    def forget_everything(self) -> None:
        """Empties the catalog; ids are not used again."""
        self._set_catalog({}, {})

    def _set_catalog(self, current: dict[str, Collection], dropped: dict[int, Collection]) -> None:
        self.catalog = replace(self.catalog, token=self._token(), collections=current, dropped=dropped)

    def finish(self) -> Head:
        """Writes what was collected; returns the head that the commit makes valid."""
        tables = self.tables
        self._end_job()
        if self._oplog:
            reach("documents-written")
            self.writer.put_many(tables.oplog, self._oplog)
            reach("log-written")
        for table, items in (
            (tables.versions, self._versions),
            (tables.removed, self._removed),
            (tables.expiry, self._ended),
        ):
            if items:
                self.writer.put_many(table, items)
        head = Head(self.op_id, self._log_term, self.time, self.catalog.token)
        if head != self._head:
            self.writer.put(tables.state, HEAD, pack_head(head))
        return head

    def _end_job(self) -> None:
        """Nothing follows the last entry of this job, which carries what became of its requests."""
        if self.outcomes and not self._own:  # nothing was there to change: whoever repeats the request must hear that
            self.log(Operation.NOOP, "", self.tick())
        if not self._own:
            return
        last = replace_entry(self._own[-1], more=False, outcomes=tuple(self.outcomes.items()))
        self._own[-1] = last
        self._oplog += [(pack_number(entry.op_id), encode_entry(entry)) for entry in self._own]
        self.learn(last)
