"""Which way to the documents that may match a filter."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from laura_fast.domain.documents.filters.tree import And, Compare, Operator
from laura_fast.domain.documents.indexing.definitions import ID_INDEX, ID_INDEX_NAME
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.planning.access import AvailableIndex
from laura_fast.domain.documents.planning.costs import Query
from laura_fast.domain.documents.planning.planner import plan
from laura_fast.errors import FailedPreconditionError, InvalidArgumentError
from laura_fast.node.database.access import ById, Planned
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import record_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.filters.tree import Node
    from laura_fast.domain.documents.indexing.entries import Index
    from laura_fast.domain.documents.planning.plan import Plan
    from laura_fast.domain.documents.sorting import Sort
    from laura_fast.node.database.access import Access
    from laura_fast.storage.documents.catalog import Collection
    from laura_fast.storage.documents.snapshot import Snapshot

_ID_INDEX: Final = compile_index(ID_INDEX)
_NO_INDEX_ID: Final = 0
"""In a cursor: the index of `_id` has no id, as it can't go away."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a way is wanted for.

    Attributes:
        namespace: Of the collection.
        filter: What is asked for.
        sort: In which order; None = any.
        limit: How many documents at once, with those that are skipped; 0 = all.
        name: The way that a cursor has used before; empty = the cheapest.
        counting: Nothing of the documents matters but how many they are.
        decoding: Each is looked into, even where filter and sort leave nothing to do.
    """

    namespace: str
    filter: Filter
    sort: Sort | None = None
    limit: int = 0
    name: str = ""
    counting: bool = False
    decoding: bool = False


def choose(state: Snapshot, asked: Asked) -> Access:
    """The cheapest way, or the one that the page before has taken.

    Raises:
        FailedPreconditionError: CURSOR_INDEX_GONE. The index of the page before does not exist any more.
    """
    if (id_key := asked_id(asked.filter.tree)) is not None:
        return ById(asked.namespace, id_key)
    collection = state.collection(asked.namespace)
    made = make_plan(state, asked, _hint(collection, asked.name))
    index = collection.index(made.scans[0].index) if collection and len(made.scans) == 1 else None
    name = f"{index.name}/{index.id}" if index else f"{ID_INDEX_NAME}/{_NO_INDEX_ID}"
    return Planned(asked.namespace, made, name)


def make_plan(state: Snapshot, asked: Asked, hint: str = "") -> Plan:
    """The planner's answer for the indexes that `state` has."""
    collection = state.collection(asked.namespace)
    sort = asked.sort.fields if asked.sort else ()
    query = Query(asked.filter.tree, sort, asked.limit, hint, asked.counting, asked.decoding)
    by_id = AvailableIndex(_ID_INDEX, 0, collection is not None and collection.long_keys)
    try:
        return plan(query, list(_available(collection, state)), Counts(state, asked.namespace), by_id)
    except InvalidArgumentError as error:
        if not hint:
            raise
        raise index_gone(hint) from error


def asked_id(tree: Node) -> bytes | None:
    """The key of the one `_id` that the filter allows, if it names one."""
    match tree:
        case Compare(path="_id", operator=Operator.EQ, operand=operand):
            return record_key(operand)
        case And(nodes=nodes):
            return next((id_key for node in nodes if (id_key := asked_id(node)) is not None), None)
    return None


class Counts:
    """What the planner may ask about a collection."""

    def __init__(self, state: Snapshot, namespace: str) -> None:
        self._state = state
        self._namespace = namespace

    @property
    def documents(self) -> int:
        """At most so many: all collections' documents, which the engine knows without counting."""
        return self._state.size()

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:
        """Entries of a range, counted up to `most`."""
        if index == ID_INDEX_NAME:
            found: Iterator[object] = self._state.keys(self._namespace, start=start, stop=stop)
        else:
            found = self._state.entries(self._namespace, index, start, stop)
        return sum(1 for _ in islice(found, most))


def _available(collection: Collection | None, state: Snapshot) -> Iterator[AvailableIndex]:
    for index in collection.indexes if collection else ():
        if index.state is IndexState.READY and index.since <= state.at:
            yield AvailableIndex(cast("Index", index.compiled), index.multikey, index.long_keys)


def _hint(collection: Collection | None, name: str) -> str:
    """The index of a name in a cursor, if it is still the same one."""
    if not name:
        return ""
    index_name, _, index_id = name.rpartition("/")
    if index_name == ID_INDEX_NAME:
        return index_name
    index = collection.index(index_name) if collection else None
    if index is None or str(index.id) != index_id:
        raise index_gone(index_name)
    return index_name


def index_gone(name: str) -> FailedPreconditionError:
    """The error of a cursor whose index is not the one it was."""
    text = f'the index "{name}", in whose order the pages came, is gone or has changed; run the query again'
    return FailedPreconditionError(text, "CURSOR_INDEX_GONE")
