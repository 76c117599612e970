"""Ways to the documents that may match: one by its `_id`, or as the planner chose."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, Protocol

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.documents.indexing.definitions import ID_INDEX_NAME
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.storage.documents.layout import INDEX_KEY_CUT, RECORD_KEY_CUT, fold, key_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from laura_fast.domain.documents.planning.access import KeyRange
    from laura_fast.domain.documents.planning.plan import Plan, Scan
    from laura_fast.storage.documents.snapshot import Snapshot


class Candidate(NamedTuple):
    """A document that may match.

    Attributes:
        key: Its place in the order of the access, before its `_id`; empty where `_id` alone is the order.
        id_key: Its record key.
        data: BSON.
    """

    key: bytes
    id_key: bytes
    data: bytes


class Place(NamedTuple):
    """A place in the order of an access: that of a candidate, or before all."""

    key: bytes = b""
    id_key: bytes = b""


START = Place()


class Access(Protocol):
    """One way, chosen for one query.

    Attributes:
        name: Says in a cursor which index it reads; the index that has it now.
        order: Whether candidates come in the order of the query's sort; FULL where it has none.
        exact: Whether every candidate matches.
        several: Whether it reads several indexes one after the other, so that a document may come more than once and
            no place says where it is.
    """

    @property
    def name(self) -> str: ...

    @property
    def order(self) -> Order: ...

    @property
    def exact(self) -> bool: ...

    @property
    def several(self) -> bool: ...

    def candidates(self, state: Snapshot, after: Place = START, *, whole_key: bool = False) -> Iterator[Candidate]:
        """Those behind a place; with `whole_key`, also those at its key, whatever their `_id`."""

    def record_keys(self, state: Snapshot) -> Iterator[bytes]:
        """Record keys of all candidates, without reading documents where the index says it all."""


class ById:
    """At most one document."""

    name = f"{ID_INDEX_NAME}/0"
    order = Order.FULL
    several = False

    def __init__(self, namespace: str, id_key: bytes, *, exact: bool = False) -> None:
        self._namespace = namespace
        self._id_key = id_key
        self.exact = exact

    def candidates(self, state: Snapshot, after: Place = START, *, whole_key: bool = False) -> Iterator[Candidate]:
        del whole_key
        if after.id_key < self._id_key and (data := state.get(self._namespace, self._id_key)) is not None:
            yield Candidate(b"", self._id_key, data)

    def record_keys(self, state: Snapshot) -> Iterator[bytes]:
        return _keys_of(self.candidates(state))


class Planned:
    """What a plan reads."""

    def __init__(self, namespace: str, plan: Plan, name: str) -> None:
        """Prepares.

        Args:
            namespace: Of the collection.
            plan: What to read.
            name: For cursors.
        """
        self.plan = plan
        self.name = name
        self.order = plan.order
        self.exact = plan.exact
        self.several = len(plan.scans) > 1
        self._namespace = namespace

    def candidates(self, state: Snapshot, after: Place = START, *, whole_key: bool = False) -> Iterator[Candidate]:
        for scan in self.plan.scans:
            yield from self._scanned(state, scan, after, whole_key=whole_key)

    def record_keys(self, state: Snapshot) -> Iterator[bytes]:
        for scan in self.plan.scans:
            if scan.index == ID_INDEX_NAME:
                for start, stop in scan.ranges:
                    yield from state.keys(self._namespace, start=start, stop=stop)
            elif scan.access.repeats:
                yield from _keys_of(self._scanned(state, scan, START, whole_key=False))
            else:
                for start, stop in scan.ranges:
                    for _, id_key in state.entries(self._namespace, scan.index, start, stop):
                        yield id_key

    def _scanned(self, state: Snapshot, scan: Scan, after: Place, *, whole_key: bool) -> Iterator[Candidate]:
        if scan.index == ID_INDEX_NAME:
            return self._documents(state, scan, after.id_key)
        return self._entries(state, scan, after, whole_key=whole_key)

    def _documents(self, state: Snapshot, scan: Scan, after: bytes) -> Iterator[Candidate]:
        for start, stop, is_cut in _ranges_left(scan, RECORD_KEY_CUT, after):
            found = state.documents(
                self._namespace, after if is_cut else b"", start=start, stop=stop, reverse=scan.reverse
            )
            for id_key, data in found:
                yield Candidate(b"", id_key, data)

    def _entries(self, state: Snapshot, scan: Scan, after: Place, *, whole_key: bool) -> Iterator[Candidate]:
        """Each document at its first entry in the ranges, so that no memory of those that came is needed."""
        namespace, ranges = self._namespace, _Ranges(scan.access.ranges) if scan.access.repeats else None
        for start, stop, is_cut in _ranges_left(scan, INDEX_KEY_CUT, after.key):
            seen: Place | None = None
            if is_cut and not whole_key:
                seen = after
            elif is_cut and scan.reverse:
                seen = Place(after.key, _LAST)
            elif is_cut:
                start = after.key  # noqa: PLW2901 - the range begins there
            for key, id_key in state.entries(namespace, scan.index, start, stop, after=seen, reverse=scan.reverse):
                data = state.get(namespace, id_key)
                if data is not None and (ranges is None or _is_first(scan, ranges, key, data)):
                    yield Candidate(key, id_key, data)


def _keys_of(candidates: Iterator[Candidate]) -> Iterator[bytes]:
    return (candidate.id_key for candidate in candidates)


_LAST = b"\xff"
"""Behind every record key."""


def _ranges_left(scan: Scan, cut: int, after: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """The ranges behind a place, and whether it is within."""
    for start, stop in scan.ranges:
        low, high = key_range(b"", start, stop, cut)
        if not after:
            yield start, stop, False
        elif low <= after and (high is None or after < high):
            yield start, stop, True
        elif (after < low) is not scan.reverse:
            yield start, stop, False


class _Ranges:
    """The ranges of a scan as the storage has them, which may be thousands: of a `$in`, say."""

    def __init__(self, ranges: Iterable[KeyRange]) -> None:
        """Takes disjoint ranges in order."""
        places = [key_range(b"", start, stop, INDEX_KEY_CUT) for start, stop in ranges]
        self._lows = [low for low, _ in places]
        self._highs = [high for _, high in places]

    def has(self, key: bytes) -> bool:
        """Whether a folded key is in one of them."""
        at = bisect_right(self._lows, key) - 1
        if at < 0:
            return False
        high = self._highs[at]
        return high is None or key < high


def _is_first(scan: Scan, ranges: _Ranges, key: bytes, data: bytes) -> bool:
    """Whether the entry is the first of its document that the scan meets."""
    keys = {fold(each, INDEX_KEY_CUT) for each in scan.access.available.index.entries(decode_stored(data)).keys}
    met = [each for each in keys if ranges.has(each)]
    return key == (max(met) if scan.reverse else min(met)) if met else True
