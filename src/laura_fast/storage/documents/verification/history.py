"""The oplog: whole, in order, and the way to the documents as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import DataLossError
from laura_fast.storage.documents.layout import TIME_BYTES, unpack_number
from laura_fast.storage.documents.oplog import OplogEntry, decode_entry, first_id

if TYPE_CHECKING:
    from laura_fast.storage.documents.layout import Head
    from laura_fast.storage.documents.verification.report import Report
    from laura_fast.storage.documents.verification.slices import View


class OplogCheck:
    """Sees the entries in order.

    Attributes:
        first: Op id of the oldest entry; 0 when there is none.
        last: Of the newest.
        whole: Nothing is wrong with it.
    """

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self.whole = True
        self._term = self._time = 0

    def check(self, report: Report, view: View, key: bytes, data: bytes) -> None:
        """An entry is undamaged, follows the one before, and neither its term nor its time falls."""
        op_id = int(unpack_number(key)[0])
        report.oplog += 1
        if self.last and op_id != self.last + 1 and op_id != first_id(view.reader, view.tables, view.head):
            self._found(f"oplog entries are missing between {self.last} and {op_id}", report)
        self.first, self.last = self.first or op_id, op_id
        try:
            self._check_order(decode_entry(op_id, data), report)
        except DataLossError as error:
            self._found(str(error), report)

    def _check_order(self, entry: OplogEntry, report: Report) -> None:
        if entry.term < self._term or entry.time <= self._time:
            self._found(f"oplog entry {entry.op_id} is older than the one before it", report)
        self._term, self._time = entry.term, entry.time

    def finish(self, head: Head, report: Report) -> None:
        """The log ends where the head of the state that was seen last says."""
        if self.last != head.op_id or self._time > head.time:
            self._found(f"the oplog ends at {self.last}, the head says {head.op_id}", report)

    def _found(self, finding: str, report: Report) -> None:
        self.whole = False
        report.found(finding)


def check_outcome(report: Report, view: View, key: bytes, value: bytes) -> None:
    """The outcome of a request will be forgotten in time, and is none of a time to come."""
    report.outcomes += 1
    stamp, op_id = value[:TIME_BYTES], unpack_number(value, TIME_BYTES)[0]
    if view.reader.get(view.tables.outcomes, stamp + key) is None:
        report.found(f"the outcome of request {key.hex()} would stay for ever")
    if op_id > view.head.op_id:
        report.found(f"the outcome of request {key.hex()} belongs to entry {op_id}, behind the end of the log")
