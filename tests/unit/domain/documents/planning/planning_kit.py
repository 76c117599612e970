"""Plans made from short words: filters and indexes as documents, statistics as a few numbers."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.planning.access import AvailableIndex
from laura_fast.domain.documents.planning.costs import Query
from laura_fast.domain.documents.planning.planner import plan

if TYPE_CHECKING:
    from laura_fast.domain.documents.planning.costs import Statistics
    from laura_fast.domain.documents.planning.plan import Plan

UP, DOWN = False, True


class Counted:
    """Statistics of a collection, by index name; what is not given has as many entries as there are documents."""

    def __init__(self, documents: int = 10_000, **entries: int) -> None:
        self.documents = documents
        self.asked: list[str] = []
        self._entries = entries

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:
        self.asked.append(index)
        return min(self._entries.get(index, self.documents), most)


class Spread:
    """Statistics of a collection whose fields are its documents' numbers, from 0 on."""

    def __init__(self, documents: int) -> None:
        self.documents = documents

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:
        assert start < stop, "an empty range was asked for"
        return min(self._place(stop) - self._place(start), most)

    def _place(self, key: bytes) -> int:
        return bisect_left(range(self.documents), key, key=encode_value)


def index(name: str, *paths: str, multikey: int = 0, long_keys: bool = False, **options: Any) -> AvailableIndex:
    """An index on paths; one that begins with "-" is descending."""
    key = {path.lstrip("-"): -1 if path[0] == "-" else 1 for path in paths}
    return AvailableIndex(compile_index(parse_definition({"key": key, "name": name, **options})), multikey, long_keys)


def planned(
    spec: dict[str, Any],
    *indexes: AvailableIndex,
    sort: tuple[tuple[str, bool], ...] = (),
    limit: int = 0,
    hint: str = "",
    counting: bool = False,
    decoding: bool = False,
    counted: Statistics | None = None,
) -> Plan:
    query = Query(compile_filter(spec).tree, sort, limit, hint, counting, decoding)
    return plan(query, indexes, counted or Counted())


def bounds(found: Plan) -> dict[str, list[str]]:
    """What `explain` says of the bounds."""
    shown: dict[str, list[str]] = found.explain()["bounds"]
    return shown
