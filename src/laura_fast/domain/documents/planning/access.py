"""What one index offers for a filter: ranges of its keys in which every matching document has an entry.

A compound index is bounded field by field: as long as fields are held to single values their keys make the prefix of
the ranges, the first other field ends it. Once an index has met arrays, more care is due (MongoDB manual, "Multikey
Index Bounds"):

    1. Two conditions on a field that was an array somewhere may be met by different elements, each with an entry of
       its own: one of them bounds, the other waits for the document.
    2. The same holds for two fields below one array, unless one `$elemMatch` on that array asks both.
    3. Of fields that were arrays but share no beginning, one at most is an array in a document: they combine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.domain.documents.filters.tree import Exists
from laura_fast.domain.documents.planning.constraints import Tight, terms_of
from laura_fast.domain.documents.planning.implication import implies
from laura_fast.domain.documents.planning.intervals import ALL, GREATEST, Edge, are_points, descending, intersection
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.documents.indexing.entries import Index
    from laura_fast.domain.documents.planning.constraints import Constraint, Term
    from laura_fast.domain.documents.planning.intervals import Intervals


@dataclass(frozen=True, slots=True)
class AvailableIndex:
    """An index that is ready.

    Attributes:
        index: It.
        multikey: All that its entries ever said of arrays (`Entries.multikey`).
        long_keys: Some keys were too long for the storage, which keeps their beginnings: entries that share one come in
            no order, and those at the ends of a range may belong outside.
    """

    index: Index
    multikey: int = 0
    long_keys: bool = False

    def met_arrays(self, position: int) -> bool:
        """Whether the field at the position was ever reached through an array."""
        return bool(self.multikey >> position & 1)


class KeyRange(NamedTuple):
    """Keys of an index from `start` until before `stop`."""

    start: bytes
    stop: bytes


EVERYTHING: Final = KeyRange(b"", GREATEST.key)


class Conditions(NamedTuple):
    """What a filter asks, prepared for all indexes.

    Attributes:
        terms: All must hold.
        by_path: The constraints of each path, with the position of their term.
        impossible: No document can satisfy them.
    """

    terms: Sequence[Term]
    by_path: dict[str, list[tuple[int, Constraint]]]
    impossible: bool


class Access(NamedTuple):
    """A way through an index, or through the documents in the order of `_id`.

    Attributes:
        available: The index.
        ranges: Disjoint, in the order of the index. Every match of the filter has an entry in them.
        bounds: What holds the leading fields, as the index sorts them; empty = it is read as a whole.
        exact: Every document with an entry there is a match.
        repeats: A document may come more than once.
    """

    available: AvailableIndex
    ranges: tuple[KeyRange, ...]
    bounds: tuple[Intervals, ...]
    exact: bool
    repeats: bool

    @property
    def narrows(self) -> bool:
        """Whether less than everything is read: what is in a sparse or partial index is less, too."""
        definition = self.available.index.definition
        return bool(self.bounds) or definition.sparse or definition.partial is not None

    @property
    def is_single(self) -> bool:
        """Whether one document at most is read."""
        definition = self.available.index.definition
        fields = len(definition.fields)
        return definition.unique and len(self.bounds) == fields and all(map(self.is_fixed, range(fields)))

    def is_fixed(self, position: int) -> bool:
        """Whether one value alone is left for the field."""
        bounds = self.bounds[position : position + 1]
        return bool(bounds) and len(bounds[0]) == 1 and bool(bounds[0][0].point)


class Unusable(NamedTuple):
    """Why an index can't serve."""

    why: str


def conditions_of(terms: Sequence[Term]) -> Conditions:
    """The terms, and their constraints by path."""
    by_path: dict[str, list[tuple[int, Constraint]]] = {}
    impossible = False
    for position, term in enumerate(terms):
        for constraint in term.constraints:
            by_path.setdefault(constraint.path, []).append((position, constraint))
            impossible = impossible or (not constraint.intervals and constraint.arrays)
    return Conditions(terms, by_path, impossible)


def access_by(available: AvailableIndex, asked: Conditions) -> Access | Unusable:
    """What the index offers: bounded as narrowly as it can be, or as a whole where nothing bounds its first field."""
    partial = available.index.partial
    if partial is not None and not implies(asked.terms, partial.tree):
        return Unusable("its partial filter may leave out matches")
    bounding = _Bounding(available, asked)
    if available.index.definition.fields[0].path in asked.by_path:
        bounding.run()
    if available.index.definition.sparse and not bounding.is_present():
        return Unusable("it is sparse: matches without its fields would be left out")
    return bounding.access()


class _Bounding:
    """The bounds of one index in the making."""

    __slots__ = ("_asked", "_available", "_bounds", "_fields", "_prefixes", "_ranges", "_through_arrays", "_used")

    def __init__(self, available: AvailableIndex, asked: Conditions) -> None:
        self._available = available
        self._fields = available.index.definition.fields
        self._asked = asked
        self._prefixes = [b""]
        self._ranges: list[KeyRange] = [EVERYTHING]
        self._bounds: list[Intervals] = []
        self._used: list[tuple[int, int, Constraint]] = []
        self._through_arrays: list[Constraint] = []

    def run(self) -> None:
        for position in range(len(self._fields)):
            chosen = self._chosen(position)
            intervals = _common(chosen)
            if intervals == ALL or not self._hold(position, intervals):
                return
            self._used += [(position, term, each) for term, each in chosen]
            if not are_points(intervals):
                return

    def is_present(self) -> bool:
        """Whether the entries of every match are in the index although it is sparse."""
        if self._used:
            return any(each.present for _, _, each in self._used)
        return any(each.present for position in range(len(self._fields)) for _, each in self._constraints(position))

    def access(self) -> Access:
        repeats = False
        if self._available.multikey:
            one_key = len(self._bounds) == len(self._fields) and len(self._ranges) == 1 and are_points(self._bounds[-1])
            repeats = not one_key
        return Access(self._available, tuple(self._ranges), tuple(self._bounds), self._is_exact(), repeats)

    def _constraints(self, position: int) -> list[tuple[int, Constraint]]:
        found = self._asked.by_path.get(self._fields[position].path, [])
        if self._available.met_arrays(position):
            return [(term, each) for term, each in found if each.arrays]
        return found

    def _chosen(self, position: int) -> list[tuple[int, Constraint]]:
        found = self._constraints(position)
        if not self._available.met_arrays(position):
            return found
        fitting = [each for each in found if all(_combine(each[1], other) for other in self._through_arrays)]
        if not fitting:
            return []
        best = min(fitting, key=_breadth)
        self._through_arrays.append(best[1])
        return [best]

    def _hold(self, position: int, intervals: Intervals) -> bool:
        """Adds a field's bounds; False where the ranges would be too many."""
        if len(self._prefixes) > 1 and len(self._prefixes) * len(intervals) > limits.MAX_COMBINED_RANGES:
            return False
        if self._fields[position].descending:
            intervals = descending(intervals)
        prefixes = self._prefixes
        self._ranges = [
            KeyRange(prefix + low.key, prefix + high.key) for prefix in prefixes for low, high, _ in intervals
        ]
        self._prefixes = [prefix + each.point for prefix in prefixes for each in intervals]
        self._bounds.append(intervals)
        return True

    def _is_exact(self) -> bool:
        if self._available.long_keys and self._bounds:
            return False
        proven = {term for position, term, each in self._used if each.tight >= self._enough(position)}
        terms = self._asked.terms
        if len(proven) == len(terms):
            return True
        return self._gives() and all(at in proven or self._is_given(term) for at, term in enumerate(terms))

    def _gives(self) -> bool:
        """Whether being in the index says anything."""
        definition = self._available.index.definition
        return definition.sparse or definition.partial is not None

    def _enough(self, position: int) -> Tight:
        return Tight.ALWAYS if self._available.met_arrays(position) else Tight.WITHOUT_ARRAYS

    def _is_given(self, term: Term) -> bool:
        """Whether being in the index says it all."""
        index = self._available.index
        if index.partial is not None:
            return not term.branches and implies(terms_of(index.partial.tree), term.node)
        alone = index.definition.sparse and len(self._fields) == 1
        return alone and isinstance(term.node, Exists) and term.node == Exists(self._fields[0].path, wanted=True)


def _combine(one: Constraint, other: Constraint) -> bool:
    """Whether both may bound the entries of one document, though arrays are on their paths (rules 2 and 3)."""
    pairs = list(zip(one.path.split("."), other.path.split("."), strict=False))
    shared = [left for left, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    if not shared:
        return True
    return one.element is not None and one.element is other.element and one.element.path == ".".join(shared)


def _breadth(found: tuple[int, Constraint]) -> tuple[int, int, int]:
    """How little a constraint bounds, by its form: what is least is used."""
    intervals = found[1].intervals
    ends = [end.value for each in intervals for end in (each.low, each.high)]
    return (
        sum(not each.point for each in intervals),
        sum(isinstance(value, Edge) for value in ends),
        len(intervals),
    )


def _common(chosen: Sequence[tuple[int, Constraint]]) -> Intervals:
    if len(chosen) == 1:
        return chosen[0][1].intervals
    return reduce(intersection, [each.intervals for _, each in chosen], ALL)
