"""The choice: every index is asked what it offers for a filter and a sort, the cheapest way is taken.

========================  ============================================================================================
in this order             why
========================  ============================================================================================
nothing can match         a condition has no value that satisfies it
the hinted index          whoever asks knows better; refused where it would miss matches
one document at most      every field of `_id` or of a unique index is held to one value
the only way              one index is bounded by values, no other gives the order asked for, and few are wanted
the least cost            entries of each way are counted (`costs`), with the sort that is left to do
the collection            where no index is bounded, or reading most of it through one would cost more
========================  ============================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.domain.documents.indexing.definitions import ID_INDEX, ID_INDEX_NAME
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.planning.access import Access, AvailableIndex, Unusable, access_by, conditions_of
from laura_fast.domain.documents.planning.constraints import branched, terms_of
from laura_fast.domain.documents.planning.costs import Way, guess, priced
from laura_fast.domain.documents.planning.ordering import UNORDERED, Order, Ordering, ordering
from laura_fast.domain.documents.planning.plan import Kind, Plan, Rejected, Scan
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.documents.planning.access import Conditions
    from laura_fast.domain.documents.planning.costs import Priced, Query, Statistics

NATURAL: Final = "$natural"
"""Hint for reading the collection itself (MongoDB's word)."""

BY_ID: Final = AvailableIndex(compile_index(ID_INDEX))
"""The documents themselves; a collection with keys that were cut has its own."""

_UNION: Final = "$or"
"""Stands for several indexes; no index has this name."""

_AS_IT_COMES: Final = Ordering(Order.FULL, reverse=False)


def plan(
    query: Query, indexes: Sequence[AvailableIndex], statistics: Statistics, by_id: AvailableIndex = BY_ID
) -> Plan:
    """Chooses how to answer a query.

    Args:
        query: What is asked.
        indexes: Those that are ready, without the one on `_id`.
        statistics: Of the collection; asked only where it matters.
        by_id: The documents in the order of `_id`.

    Raises:
        InvalidArgumentError: BAD_HINT: the hinted index is not there, or would miss matches.
    """
    return _Choice(query, (*indexes, by_id)).made(statistics)


class _Choice:
    """One query and what every index offers for it; the last index is the one on `_id`."""

    def __init__(self, query: Query, indexes: Sequence[AvailableIndex]) -> None:
        self._query = query
        self._indexes = indexes
        self._terms = list(map(branched, terms_of(query.filter)))
        self._asked = conditions_of(self._terms)
        self._ways: list[Way] = []
        self._rejected: list[Rejected] = []

    def made(self, statistics: Statistics) -> Plan:
        if self._asked.impossible:
            return _nothing()
        for available in self._indexes:
            self._consider(available)
        if self._query.hint:
            return self._hinted()
        self._ways += self._unions()
        for way in self._ways:
            if not any(access.ranges for access in way.accesses):
                return _nothing()
            if len(way.accesses) == 1 and way.accesses[0].is_single:
                return self._taken(way, "the key is given and unique: one document at most")
        if only := self._only():
            return self._taken(*only)
        return self._cheapest(statistics)

    def _consider(self, available: AvailableIndex) -> None:
        name = available.index.definition.name
        if self._is_off(available):
            self._rejected.append(Rejected(name, _useless(available, self._query)))
            return
        access = access_by(available, self._asked)
        if isinstance(access, Unusable):
            self._rejected.append(Rejected(name, access.why))
            return
        sort, narrows = self._query.sort, access.narrows
        order = ordering(access, sort) if sort else _AS_IT_COMES
        serves = narrows or (sort and order.order is not Order.NONE) or self._query.hint == name
        if serves or name == ID_INDEX_NAME:
            self._ways.append(Way(name, (access,), order, narrows))
        else:
            self._rejected.append(Rejected(name, _useless(available, self._query)))

    def _is_off(self, available: AvailableIndex) -> bool:
        """Whether neither filter nor sort say anything of the first field: most indexes, for most queries."""
        definition, query = available.index.definition, self._query
        if definition.sparse or definition.partial is not None or definition.name in {query.hint, ID_INDEX_NAME}:
            return False
        first = definition.fields[0].path
        return first not in self._asked.by_path and not (query.sort and query.sort[0][0] == first)

    def _hinted(self) -> Plan:
        hint = ID_INDEX_NAME if self._query.hint == NATURAL else self._query.hint
        for way in self._ways:
            if way.name == hint:
                return self._taken(way, "hinted")
        for each in self._rejected:
            if each.index == hint:
                raise InvalidArgumentError(f'the hinted index "{hint}" can\'t serve this query: {each.why}', "BAD_HINT")
        raise InvalidArgumentError(f'the hinted index "{hint}" does not exist, or is not ready', "BAD_HINT")

    def _unions(self) -> list[Way]:
        """For each `$or` the scans of its branches, if every branch that can match has one."""
        found: list[Way] = []
        for at, term in enumerate(self._terms):
            if 0 < len(term.branches) <= limits.MAX_UNION_BRANCHES:
                others = [*self._terms[:at], *self._terms[at + 1 :]]
                branches = [conditions_of([*others, *branch]) for branch in term.branches]
                scans = [self._branch(branch) for branch in branches if not branch.impossible]
                accesses = tuple(access for access in scans if access)
                if len(accesses) == len(scans):
                    accesses = tuple(access for access in accesses if access.ranges)
                    found.append(Way(_UNION, accesses, UNORDERED, narrows=True))
        return found

    def _branch(self, asked: Conditions) -> Access | None:
        accesses = [access_by(available, asked) for available in self._indexes]
        usable = [access for access in accesses if isinstance(access, Access) and access.narrows]
        return min(usable, key=guess, default=None)

    def _only(self) -> tuple[Way, str] | None:
        """The choice where nothing has to be counted."""
        narrowing = [way for way in self._ways if way.narrows]
        if not narrowing and not self._query.sort:
            return self._ways[-1], "no index is bounded by the filter"
        others = [way for way in self._ways if way.ordering.order is not Order.NONE and way not in narrowing]
        if len(narrowing) != 1 or (self._query.sort and others) or not _is_by_value(narrowing[0]):
            return None
        if not self._query.limit and not (self._query.counting and narrowing[0].exact):
            return None
        return narrowing[0], "no other index is bounded by the filter"

    def _cheapest(self, statistics: Statistics) -> Plan:
        best, *others = priced(self._ways, self._query, statistics)
        self._rejected += [Rejected(each.way.name, f"costs more: {_reads(each, self._query)}") for each in others]
        return self._taken(best.way, f"costs least: {_reads(best, self._query)}")

    def _taken(self, way: Way, why: str) -> Plan:
        order, reverse = way.ordering
        return Plan(
            kind=_kind(way),
            scans=tuple(Scan(access, reverse) for access in way.accesses),
            order=order if self._query.sort else Order.FULL,
            exact=way.exact,
            repeats=len(way.accesses) > 1 or any(access.repeats for access in way.accesses),
            why=why,
            rejected=tuple(self._rejected),
        )


def _nothing() -> Plan:
    why = "no value satisfies a condition"
    return Plan(Kind.NOTHING, (), Order.FULL, exact=True, repeats=False, why=why)


def _kind(way: Way) -> Kind:
    if way.name == _UNION:
        return Kind.UNION
    if not way.is_collection:
        return Kind.INDEX_SCAN
    access = way.accesses[0]
    if not access.bounds:
        return Kind.COLLECTION_SCAN
    return Kind.ID_LOOKUP if all(each.point for each in access.bounds[0]) else Kind.INDEX_SCAN


def _is_by_value(way: Way) -> bool:
    """Whether the leading field is held to values, not to a range, which may be almost everything."""
    return all(access.bounds and all(each.point for each in access.bounds[0]) for access in way.accesses)


def _useless(available: AvailableIndex, query: Query) -> str:
    path = available.index.definition.fields[0].path
    why = f'no condition bounds its first field "{path}"'
    return f"{why}, and it does not have the order of the sort" if query.sort else why


def _reads(each: Priced, query: Query) -> str:
    number = f"{each.entries:,.0f} {'documents' if each.way.is_collection else 'entries'}"
    is_sorted = not query.sort or each.way.ordering.order is not Order.NONE
    return f"{'' if each.counted else 'about '}{number}{'' if is_sorted else ' and a sort'}"
