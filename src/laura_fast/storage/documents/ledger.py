"""Outcomes of requests, so that a repeated one is answered and not done again (WIRE-CONTRACT, exactly once)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from laura_fast.errors import OverloadedError
from laura_fast.limits.storage import LEDGER_WINDOW_MS, MAX_LEDGER_ENTRIES
from laura_fast.storage.documents import times
from laura_fast.storage.documents.layout import TIME_BYTES, pack_number

if TYPE_CHECKING:
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader, Writer


class Ledger:
    """The two tables of outcomes: by request and by time."""

    def __init__(self, tables: Tables) -> None:
        self._ledger = tables.ledger
        self._outcomes = tables.outcomes

    def get(self, reader: Reader, key: bytes) -> bytes | None:
        """The outcome of a request."""
        value = reader.get(self._ledger, key)
        return value[2 * TIME_BYTES :] if value else None

    def check_room(self, reader: Reader) -> None:
        """Raises OverloadedError (LEDGER_FULL) where no more outcomes can be remembered."""
        if reader.entries(self._ledger) >= MAX_LEDGER_ENTRIES:
            raise OverloadedError("too many requests within half an hour to remember their outcomes", "LEDGER_FULL")

    def put(self, writer: Writer, key: bytes, outcome: bytes, time: int, op_id: int) -> None:
        """Remembers an outcome with the time and op id of the entry that carries it, unless a later one is known."""
        stamp = pack_number(time)
        before = writer.get(self._ledger, key)
        if before and before[:TIME_BYTES] >= stamp:
            return
        writer.put(self._ledger, key, stamp + pack_number(op_id) + outcome)
        writer.put(self._outcomes, stamp + key, before or b"")

    def forget_after(self, writer: Writer, op_id: int, time: int) -> None:
        """Undoes what entries above an op id, whose commit time is `time`, brought, the newest first."""
        first = pack_number(time + 1)
        for stamped, before in list(writer.scan(self._outcomes, first, reverse=True)):
            key = stamped[TIME_BYTES:]
            value = writer.get(self._ledger, key)
            if value is None or value[TIME_BYTES : 2 * TIME_BYTES] <= pack_number(op_id):
                continue
            writer.delete(self._outcomes, stamped)
            if before:
                writer.put(self._ledger, key, before)
            else:
                writer.delete(self._ledger, key)

    def collect(self, writer: Writer, now_ms: int, limit: int) -> bool:
        """Forgets up to `limit` outcomes that are older than the window; tells whether there may be more."""
        stop = pack_number(times.at_ms(max(0, now_ms - LEDGER_WINDOW_MS)))
        old = [key for key, _ in islice(writer.scan(self._outcomes, b"", stop), limit)]
        for key in old:
            writer.delete(self._outcomes, key)
            value = writer.get(self._ledger, key[TIME_BYTES:])
            if value and value[:TIME_BYTES] == key[:TIME_BYTES]:
                writer.delete(self._ledger, key[TIME_BYTES:])
        return len(old) == limit
