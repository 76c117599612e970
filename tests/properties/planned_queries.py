"""Random collections, indexes and queries; a query through a plan must answer what the query over all documents does.

Values, paths and shapes are few and operands come from the documents, so that most conditions match something, most
sorts tie, and arrays stand where the rules for arrays are hard: at the end of a path, on its way, in each other, next
to each other, and empty. Statistics are random: whatever a plan is chosen for, it must be right.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.regex import Regex

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.indexing.definitions import ID_INDEX_NAME, parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.planning.access import AvailableIndex
from laura_fast.domain.documents.planning.costs import Query
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.domain.documents.planning.planner import plan
from laura_fast.domain.documents.sorting import compile_sort, stable_key
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from random import Random

    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.indexing.entries import Index
    from laura_fast.domain.documents.planning.costs import Statistics
    from laura_fast.domain.documents.planning.plan import Plan, Scan
    from laura_fast.domain.documents.sorting import Sort

USUAL: Final = (0, 1, 1, 2, 2, 3, Int64(2), 1.0, 1.5, None, "a", "ab", "abc", "b")
RARE: Final[tuple[Any, ...]] = (
    MinKey(),
    MaxKey(),
    {},
    {"b": 1},
    [],
    [1],
    [[]],
    [[1], 2],
    True,
    False,
    float("nan"),
    "",
)
REGEX: Final = Regex("^a", "")
PATHS: Final = ("a", "b", "c", "a.b", "a.c", "a.b.c", "b.a", "a.0", "a.0.b", "a.b.0", "_id")
INDEX_PATHS: Final = PATHS[:-1]
KEYS: Final = (("a",), ("a", "b"), ("b", "a"), ("a.b", "a.c"), ("a.b", "b"), ("a", "a.b"), ("a.b.c", "a.b.a"), ("a.0",))
TYPES: Final = ("number", "string", "null", "object", "array", "bool", "minKey", "double", "int", "regex")
QUERIES: Final = 20
"""Of one collection."""

REFUSED: Final = frozenset({"BAD_HINT", "SORT_INVALID"})
"""A hinted index that would miss matches; two arrays side by side in the fields of a sort."""

PATTERNS: Final = ("^a", "^ab", "b", "^a.c", "^", "^abc$")


def compare_many(rng: Random, cases: int) -> Counter[tuple[str, str]]:
    """Asks so many queries, each through several plans; and counts which kinds gave the right answer."""
    kinds: Counter[str] = Counter()
    for begin in range(0, cases, QUERIES):
        case = Case(rng)
        for _ in range(min(QUERIES, cases - begin)):
            case.ask()
        kinds.update(case.kinds)
    return Counter({(kind, "same"): times for kind, times in kinds.items() if kind not in REFUSED})


class Maker:
    """Makes documents, and queries that have to do with them."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._seen: list[Any] = list(USUAL)
        self._array, self._object = rng.choice([(0.1, 0.2), (0.25, 0.25), (0.4, 0.3)])
        self._operators: dict[str, Callable[[int], Any]] = {
            "$in": lambda _: [self.operand() for _ in range(rng.randrange(4))],
            "$ne": lambda _: self.operand(),
            "$nin": lambda _: [self.operand() for _ in range(rng.randrange(3))],
            "$exists": lambda _: rng.random() < 0.6,
            "$regex": lambda _: rng.choice(PATTERNS),
            "$type": lambda _: rng.choice(TYPES),
            "$size": lambda _: rng.randrange(3),
            "$mod": lambda _: [2, rng.randrange(2)],
            "$all": lambda _: [self.operand() for _ in range(rng.randrange(3))],
            "$not": lambda depth: self.predicate(depth + 1) if depth < 2 else {"$eq": 1},
            "$elemMatch": self._element,
        }

    def document(self, identity: int) -> dict[str, Any]:
        """A document with some of the fields a, b and c."""
        return {"_id": identity, **{name: self._value(0) for name in "abc" if self._rng.random() < 0.75}}

    def _value(self, depth: int) -> Any:
        rng = self._rng
        kind = rng.random() + depth * 0.1
        if kind < self._array:
            found: Any = [self._value(depth + 1) for _ in range(rng.randrange(4))]
        elif kind < self._array + self._object:
            names = rng.sample(["b", "c", "a", "0"], rng.choice([1, 2, 2, 3]))
            found = {name: self._value(depth + 1) for name in names}
        else:
            found = rng.choice((*RARE, REGEX) if rng.random() < 0.1 else USUAL)
        if found is not REGEX:
            self._seen.append(found)
        return found

    def operand(self) -> Any:
        """A value to compare with."""
        return self._rng.choice(RARE if self._rng.random() < 0.1 else self._seen)

    def predicate(self, depth: int = 0) -> dict[str, Any]:
        """Operators for one path."""
        rng = self._rng
        operator = rng.choice(["$eq"] * 4 + ["$in"] * 2 + ["$gt", "$gte", "$lt", "$lte"] * 2 + list(self._operators))
        make = self._operators.get(operator)
        found = {operator: make(depth) if make else self.operand()}
        if rng.random() < 0.25:
            found |= {rng.choice(["$gt", "$gte", "$lt", "$lte"]): rng.choice(USUAL)}
        return found

    def _element(self, depth: int) -> dict[str, Any]:
        rng = self._rng
        if depth >= 2 or rng.random() < 0.4:
            return {operator: rng.choice(USUAL) for operator in rng.sample(["$gt", "$lt", "$gte", "$eq", "$ne"], 2)}
        names = rng.sample(["a", "b", "c", "b", "c", "b.c", "b.a", "0"], rng.randrange(1, 4))
        return {path: self.predicate(depth + 1) for path in names}

    def query(self, paths: Sequence[str] = PATHS, depth: int = 0) -> dict[str, Any]:
        """A filter on some of the paths."""
        rng = self._rng
        if depth < 2 and rng.random() < 0.1:
            return {"$or": [self.query(paths, depth=2) for _ in range(rng.randrange(1, 4))]}
        found = {}
        for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3])):
            found[rng.choice(paths)] = self.operand() if rng.random() < 0.3 else self.predicate()
        if depth < 2 and rng.random() < 0.25:
            branches = [self.query(paths, depth + 1) for _ in range(rng.randrange(1, 4))]
            found[rng.choice(["$or", "$or", "$or", "$and", "$nor"])] = branches
        return found

    def sort(self, paths: Sequence[str] = PATHS) -> dict[str, int]:
        """No order, or that of up to three of the paths."""
        rng = self._rng
        count = min(len(paths), rng.choice([0, 0, 1, 1, 2, 3]))
        return {path: rng.choice([1, -1]) for path in rng.sample(paths, count)}

    def definition(self, number: int) -> dict[str, Any]:
        """An index on up to three fields."""
        rng = self._rng
        usual = rng.random() < 0.6
        paths = rng.choice(KEYS) if usual else rng.sample(INDEX_PATHS, rng.choice([1, 1, 2, 2, 3]))
        found: dict[str, Any] = {"key": {path: rng.choice([1, -1]) for path in paths}, "name": f"index{number}"}
        kind = rng.random()
        if kind < 0.2:
            found["sparse"] = True
        elif kind < 0.4:
            found["partialFilterExpression"] = self.query(depth=2)
        return found


class Collection:
    """Documents and indexes as sorted lists: what the storage is to a plan."""

    def __init__(self, documents: Sequence[dict[str, Any]], definitions: Sequence[dict[str, Any]]) -> None:
        self.indexes: list[AvailableIndex] = []
        compiled = [compile_index(parse_definition(each)) for each in definitions]
        self.documents = {encode_value(each["_id"]): each for each in documents if _can_be_indexed(each, compiled)}
        self._entries: dict[str, list[tuple[bytes, bytes]]] = {
            ID_INDEX_NAME: sorted((key, key) for key in self.documents)
        }
        for index in compiled:
            self._add(index)

    def _add(self, index: Index) -> None:
        entries, multikey = [], 0
        for key, each in self.documents.items():
            found = index.entries(each)
            entries += [(entry, key) for entry in found.keys]
            multikey |= found.multikey
        self._entries[index.definition.name] = sorted(entries)
        self.indexes.append(AvailableIndex(index, multikey))

    def read(self, *scans: Scan) -> Iterator[bytes]:
        """Ids of documents in the order of the scans."""
        for scan in scans:
            entries = self._entries[scan.index]
            for start, stop in scan.ranges:
                found = entries[bisect_left(entries, (start,)) : bisect_left(entries, (stop,))]
                yield from (key for _, key in (reversed(found) if scan.reverse else found))

    def check(
        self, spec: Mapping[str, Any], order: Mapping[str, int], statistics: Statistics, hint: str = "", **options: Any
    ) -> str:
        """Asserts that the plan for a query is right; tells its kind, or that the hint or the sort can't be."""
        asked, wanted = compile_filter(spec), compile_sort(order)
        try:
            chosen = plan(Query(asked.tree, wanted.fields, hint=hint, **options), self.indexes, statistics)
            found = problem(self.documents, list(self.read(*chosen.scans)), chosen, asked, wanted)
        except InvalidArgumentError as error:
            if error.reason in REFUSED:
                return error.reason
            raise
        assert not found, f"{found}: {spec} sorted by {order}, {chosen.explain()}"
        return chosen.kind


def _can_be_indexed(each: dict[str, Any], indexes: Sequence[Index]) -> bool:
    try:
        for index in indexes:
            index.entries(each)
    except InvalidArgumentError:  # arrays side by side
        return False
    return True


@dataclass
class RandomStatistics:
    """Answers that mean nothing."""

    rng: Random
    documents: int

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:
        """Anything from 0 to `most`."""
        assert start < stop, "an empty range was asked for"
        return self.rng.choice([0, self.rng.randint(0, most), most])


class Case:
    """A collection, and which kinds of plans were tried on it."""

    def __init__(self, rng: Random, documents: int = 30, indexes: int = 3) -> None:
        self._rng = rng
        self._maker = maker = Maker(rng)
        made = [maker.document(number) for number in range(documents)]
        self.collection = Collection(
            made, [maker.definition(number) for number in range(rng.randrange(1, indexes + 1))]
        )
        self.kinds: dict[str, int] = {}

    def ask(self) -> None:
        """Asks one random query, by the plan that is chosen and by every index that can be hinted at."""
        spec, order = self._question()
        for hint in ["", "", *(each.index.definition.name for each in self.collection.indexes)]:
            statistics = RandomStatistics(self._rng, self._rng.choice([1, 100, 100_000]))
            limit, counting = self._rng.choice([0, 5]), self._rng.random() < 0.3
            kind = self.collection.check(spec, order, statistics, limit=limit, hint=hint, counting=counting)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def _question(self) -> tuple[dict[str, Any], dict[str, int]]:
        """Mostly about the fields of one index, so that several are bounded, and in its order."""
        rng, maker = self._rng, self._maker
        if rng.random() < 0.3:
            return maker.query(), maker.sort()
        fields = rng.choice(self.collection.indexes).index.definition.fields
        paths = [field.path for field in fields]
        if rng.random() < 0.5:
            return maker.query(paths), maker.sort(paths)
        begin, turned = rng.randrange(len(fields)), rng.random() < 0.5
        order = {field.path: -1 if field.descending is not turned else 1 for field in fields[begin:]}
        return maker.query(paths), order


def problem(
    documents: Mapping[bytes, dict[str, Any]],
    read: Sequence[bytes],
    chosen: Plan,
    asked: Filter,
    wanted: Sort,
) -> str:
    """What a plan does wrong, given the keys of the documents that its scans read; empty where it does no wrong."""
    expected = [key for key, each in documents.items() if asked.matches(each)]
    expected.sort(key=lambda key: stable_key(wanted)(documents[key]))
    found = list(dict.fromkeys(read)) if chosen.repeats else list(read)
    if chosen.exact and (wrong := [documents[key] for key in found if not asked.matches(documents[key])]):
        return f"not exact: {wrong[0]}"
    found = [key for key in found if asked.matches(documents[key])]
    if missed := set(expected) ^ set(found):
        return f"missed: {[documents[key] for key in missed]}"
    if len(found) != len(expected):
        return "repeats"
    if chosen.order is Order.FULL and wanted.fields:
        return "" if found == expected else f"wrong order: {[documents[key] for key in found]}"
    keys = [wanted.key(documents[key]) for key in found]
    return "wrong order" if chosen.order is Order.TIES and keys != sorted(keys) else ""
