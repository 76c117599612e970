"""What a way to the documents costs, in units of one document read in the order of `_id` and looked into.

Only the order of the figures decides anything; `bench/test_planner.py` measures what they stand for. How many entries
a range has is counted, up to a bound that grows until one way is known to be small: so planning costs a share of what
the cheapest way costs, and only a query that reads much is planned for long.
"""

from __future__ import annotations

import math
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from laura_fast.domain.documents.filters.tree import EVERYTHING
from laura_fast.domain.documents.indexing.definitions import ID_INDEX_NAME
from laura_fast.domain.documents.planning.access import KeyRange
from laura_fast.domain.documents.planning.intervals import GREATEST
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.documents.filters.tree import Node
    from laura_fast.domain.documents.planning.access import Access
    from laura_fast.domain.documents.planning.ordering import Ordering

_LOOK: Final = 0.7
"""To decode a document: for the filter, for a sort, for a pipeline."""

_STEP: Final = 0.3
"""A document that a scan steps on to, as it is."""

_FETCH: Final = 0.8
"""A document found through an entry: stepped on to there, looked up here."""

_ENTRY: Final = 0.12
"""An entry alone, where documents are only counted."""

_SEEK: Final = 0.3
_SORT: Final = 0.05
"""Per document and doubling of their number."""

_ROUNDS_OF_LIMIT: Final = 10
"""To count many times the documents that are wanted can't pay."""

_POINT_SHARE: Final = 0.05
_RANGE_SHARE: Final = 0.3
"""Share of the documents that a value and a range of a field are taken for, where counting gave up."""


class Statistics(Protocol):
    """What the planner asks about a collection; answers may be rough."""

    @property
    def documents(self) -> int:
        """How many there are."""

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:
        """How many entries an index has from `start` until before `stop`; `most` stands for any larger number."""


class Query(NamedTuple):
    """What is to be planned.

    Attributes:
        filter: Which documents.
        sort: (path, descending), most significant first.
        limit: How many documents are wanted at once, those that are skipped included; 0 = all. For pages, those of one:
            where they can't be read in order each costs another look at everything, so the cheapest way to one is the
            cheapest to all.
        hint: Name of the index to use; empty = the planner's choice.
        counting: Documents are only counted.
        decoding: Documents are looked into even where nothing of the filter and the sort is left to do.
    """

    filter: Node = EVERYTHING
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int = 0
    hint: str = ""
    counting: bool = False
    decoding: bool = False


class Way(NamedTuple):
    """A way to the documents that a query asks for.

    Attributes:
        name: Of the index, or what stands for several.
        accesses: One; several for a union.
        ordering: How documents come, and in which direction that is.
        narrows: It reads less than everything.
    """

    name: str
    accesses: tuple[Access, ...]
    ordering: Ordering
    narrows: bool

    @property
    def is_collection(self) -> bool:
        """Whether documents are read, and no index entries."""
        return self.name == ID_INDEX_NAME

    @property
    def exact(self) -> bool:
        """Whether each document that it reads is a match."""
        return all(access.exact for access in self.accesses)


class Priced(NamedTuple):
    """A way, and what it costs.

    Attributes:
        way: It.
        cost: In documents read.
        entries: So many to read.
        counted: That is no guess.
    """

    way: Way
    cost: float
    entries: float
    counted: bool


def priced(ways: Sequence[Way], query: Query, statistics: Statistics) -> list[Priced]:
    """All ways with their costs, the cheapest first."""
    sizes = _sizes(ways, query, statistics)
    matches = min((entries for way, (entries, _) in zip(ways, sizes, strict=True) if way.narrows), default=math.inf)
    found = [
        Priced(way, _cost(way, entries, matches, query), entries, counted)
        for way, (entries, counted) in zip(ways, sizes, strict=True)
    ]
    return sorted(found, key=lambda each: each.cost)


def guess(access: Access) -> float:
    """Share of the documents that an access reads, by the form of its bounds alone."""
    share = 1.0
    for intervals in access.bounds:
        points = all(each.point for each in intervals)
        share *= min(1.0, len(intervals) * _POINT_SHARE) if points else _RANGE_SHARE
    return share


def _sizes(ways: Sequence[Way], query: Query, statistics: Statistics) -> list[tuple[float, bool]]:
    """Entries of each way, and whether they were counted: rounds end when a way that narrows was."""
    found, is_known = [(0.0, False)] * len(ways), False
    for most in limits.PLANNING_COUNTS:
        found = [size if size[1] else _counted(way, statistics, most) for way, size in zip(ways, found, strict=True)]
        is_known = any(size[1] and way.narrows for way, size in zip(ways, found, strict=True))
        if is_known or 0 < query.limit * _ROUNDS_OF_LIMIT <= most:
            break
    return [
        size if size[1] else (max(size[0], _guessed(way, statistics, rough=is_known)), False)
        for way, size in zip(ways, found, strict=True)
    ]


def _guessed(way: Way, statistics: Statistics, *, rough: bool) -> float:
    """Entries of a way that has too many to be counted: as the form of its bounds suggests, or all but a few."""
    documents = statistics.documents
    if not rough and len(way.accesses) == 1 and (outside := _outside(way.accesses[0], statistics)) is not None:
        return documents - outside
    return documents * sum(map(guess, way.accesses))


def _outside(access: Access, statistics: Statistics) -> int | None:
    """Entries that the ranges leave out; None where those are too many, or say nothing of the others."""
    definition, ranges = access.available.index.definition, access.ranges
    if access.repeats or definition.sparse or definition.partial is not None or len(ranges) > limits.PLANNING_RANGES:
        return None
    left, most = 0, limits.PLANNING_OUTSIDE
    for (_, begin), (end, _) in pairwise((KeyRange(b"", b""), *ranges, KeyRange(GREATEST.key, b""))):
        if begin < end:
            left += statistics.estimate(definition.name, begin, end, most - left)
        if left >= most:
            return None
    return left


def _counted(way: Way, statistics: Statistics, most: int) -> tuple[float, bool]:
    entries, counted = 0.0, True
    for access in way.accesses:
        more, known = _count(access, statistics, most)
        entries, counted = entries + more, counted and known
    return entries, counted


def _count(access: Access, statistics: Statistics, most: int) -> tuple[float, bool]:
    """Counts the entries of an access, or of some of its ranges where it has many."""
    ranges = access.ranges
    if not access.narrows and not access.repeats:
        return statistics.documents, True
    step = math.ceil(len(ranges) / limits.PLANNING_RANGES)
    sample = list(islice(ranges, 0, None, step))
    name = access.available.index.definition.name
    counts = [statistics.estimate(name, start, stop, most) for start, stop in sample]
    return sum(counts) * len(ranges) / len(sample), max(counts) < most


def _cost(way: Way, entries: float, matches: float, query: Query) -> float:
    """`matches`: as many at most satisfy the filter, so a way that may stop early finds the wanted ones the sooner."""
    seeks = sum(len(access.ranges) for access in way.accesses) * _SEEK
    if query.counting and way.exact:
        return seeks + entries * _ENTRY
    is_sorted = not query.sort or way.ordering.order is not Order.NONE
    read = entries
    if is_sorted and query.limit:
        read = min(entries, query.limit * max(1.0, entries / max(1.0, matches)))
    looked = query.decoding or not way.exact or (query.sort and way.ordering.order is not Order.FULL)
    each = (_STEP if way.is_collection else _FETCH) + (_LOOK if looked else 0.0)
    return seeks + read * each + (0.0 if is_sorted else entries * math.log2(entries + 1) * _SORT)
