"""The plan of a query: what is read, in which order, what is left to do, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.indexing.definitions import ID_INDEX_NAME, key_pattern
from laura_fast.domain.documents.planning.intervals import Edge, Interval
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from laura_fast.domain.documents.planning.access import Access, KeyRange
    from laura_fast.domain.documents.planning.intervals import Intervals
    from laura_fast.domain.documents.planning.ordering import Order


class Kind(StrEnum):
    """What a plan does, in the words of `explain`."""

    NOTHING = "nothing can match"
    ID_LOOKUP = "lookup by _id"
    COLLECTION_SCAN = "collection scan"
    INDEX_SCAN = "index scan"
    UNION = "union of index scans"


@dataclass(frozen=True, slots=True)
class Scan:
    """Entries of one index to read, or documents by `_id`.

    Attributes:
        access: Which index, and its ranges.
        reverse: From the last range to the first, each backwards.
    """

    access: Access
    reverse: bool

    @property
    def index(self) -> str:
        """Name of the index; `ID_INDEX_NAME`: ranges are of the documents' own keys."""
        return self.access.available.index.definition.name

    @property
    def ranges(self) -> tuple[KeyRange, ...]:
        """Disjoint, in the order to read them."""
        return self.access.ranges[::-1] if self.reverse else self.access.ranges


@dataclass(frozen=True, slots=True)
class Rejected:
    """An index that was not taken."""

    index: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How to answer a query. Nothing in it changes, so it may be kept while the indexes stay the same.

    Attributes:
        kind: What it does.
        scans: To be read one after the other; none = there is no match.
        order: Of the documents that come, against the sort that was asked for; `Order.FULL` where none was.
        exact: Each document that is read is a match: the filter need not run, and entries can be counted.
        repeats: A document may come more than once; all but the first time is to be dropped, by `_id`.
        why: The reason, in a sentence.
        rejected: The other indexes, each with a reason.
    """

    kind: Kind
    scans: tuple[Scan, ...]
    order: Order
    exact: bool
    repeats: bool
    why: str
    rejected: tuple[Rejected, ...] = ()

    @property
    def index(self) -> str | None:
        """Name of the one index that is read; None where documents are, or several."""
        names = {scan.index for scan in self.scans} - {ID_INDEX_NAME}
        return names.pop() if self.kind is Kind.INDEX_SCAN and names else None

    def explain(self) -> dict[str, Any]:
        """The plan for a person, as a document."""
        document: dict[str, Any] = {"plan": str(self.kind)}
        scans = [_explain_scan(scan) for scan in self.scans]
        if self.kind is Kind.UNION:
            document["scans"] = scans
        elif scans:
            document |= scans[0]
        if self.scans:
            document["order"] = str(self.order.value)
            document["filter"] = "answered by the keys" if self.exact else "checked on each document"
        document["repeats"] = "dropped by _id" if self.repeats else "none"
        document["why"] = self.why
        document["rejected"] = [{"index": each.index, "why": each.why} for each in self.rejected]
        return document


def _explain_scan(scan: Scan) -> dict[str, Any]:
    available = scan.access.available
    definition = available.index.definition
    paths = [field.path for field in definition.fields]
    document: dict[str, Any] = {
        "index": definition.name,
        "key": key_pattern(definition.fields),
        "direction": "backward" if scan.reverse else "forward",
        "bounds": {path: readable(each) for path, each in zip(paths, scan.access.bounds, strict=False)},
        "ranges": len(scan.access.ranges),
    }
    met = [path for at, path in enumerate(paths) if available.met_arrays(at)]
    return document | ({"multikey": met} if met else {})


def readable(intervals: Intervals) -> list[str]:
    """Intervals as mathematics writes them; only the first of very many."""
    shown = [_readable(each) for each in intervals[: limits.MAX_EXPLAINED_INTERVALS]]
    hidden = len(intervals) - len(shown)
    return [*shown, f"and {hidden} more"] if hidden else shown


def _readable(interval: Interval) -> str:
    low, high = interval.low, interval.high
    if interval.point:
        return f"[{_shown(low.value)}]"
    left = "(" if low.after else "["
    right = "]" if high.after else ")"
    return f"{left}{_shown(low.value)}, {_shown(high.value)}{right}"


_SHOWN_CHARACTERS: Final = 64


def _shown(value: Any) -> str:
    if isinstance(value, Edge):
        return value.name
    text = "null" if value is None else str(value).lower() if value is True or value is False else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
