"""The entries of a document in an index: its rows as keys that sort like the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from laura_fast.domain.documents.filters import Filter, compile_filter
from laura_fast.domain.documents.indexing.extraction import EMPTY, Empty, branches, extract
from laura_fast.domain.documents.keys import EMPTY_ARRAY, encode_value, invert
from laura_fast.domain.documents.kinds import MISSING, Missing
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.documents.indexing.definitions import IndexDefinition

NULL_KEY: Final = encode_value(None)

_NO_VALUES: Final = {Missing: NULL_KEY, Empty: EMPTY_ARRAY}


class Entries(NamedTuple):
    """What a document has in an index.

    Attributes:
        keys: Distinct, sorted.
        multikey: A bit for each field (1 << position) that was reached through an array. An index keeps all that it
            ever met: what may be concluded from bounds and order depends on it.
    """

    keys: tuple[bytes, ...]
    multikey: int


EntriesOf: TypeAlias = Callable[[dict[str, Any]], Entries]
NO_ENTRIES: Final = Entries((), 0)


@dataclass(frozen=True, slots=True)
class Index:
    """A definition, ready to be maintained.

    Attributes:
        definition: What it is.
        partial: Its filter, compiled; None = all documents.
        entries: From a document to its entries. Raises InvalidArgumentError, with the reason CANNOT_INDEX and the
            index's name, for a document that it can't hold.
    """

    definition: IndexDefinition
    partial: Filter | None
    entries: EntriesOf

    @property
    def unique(self) -> bool:
        """No two documents share a key."""
        return self.definition.unique


def compile_index(definition: IndexDefinition) -> Index:
    """Decides once, for all documents.

    Raises:
        InvalidArgumentError: The partial filter is no filter.
    """
    chosen = None if definition.partial is None else compile_filter(definition.partial)
    entries = scalar_entries(definition, row_entries(definition))
    return Index(definition, chosen, _partial_entries(chosen, entries) if chosen else entries)


def row_entries(definition: IndexDefinition) -> EntriesOf:
    """The entries of any document, as `extraction` has the rules."""
    root = branches([path for path, _ in definition.fields])
    order = tuple(descending for _, descending in definition.fields)
    sparse = definition.sparse

    def entries(document: dict[str, Any]) -> Entries:
        try:
            rows, multikey = extract(root, document)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f'index "{definition.name}": {error.message}', error.reason) from None
        if sparse:
            rows = [row for row in rows if any(value is not MISSING for value in row.values())]
        keys = {b"".join([_ordered(row[at], inverted) for at, inverted in enumerate(order)]) for row in rows}
        return Entries(tuple(sorted(keys)), multikey)

    return entries


def scalar_entries(definition: IndexDefinition, otherwise: EntriesOf) -> EntriesOf:
    """A short cut for documents in which one field at most is an array and no array is on the way to a field.

    That is nearly every document; all others go `otherwise` (bench/test_planner.py).
    """
    fields = tuple((tuple(path.split(".")), descending) for path, descending in definition.fields)
    order = tuple(descending for _, descending in definition.fields)
    sparse = definition.sparse

    def entries(document: dict[str, Any]) -> Entries:
        values = [_follow(document, parts) for parts, _ in fields]
        kinds = list(map(type, values))
        if _Beyond in kinds:
            return otherwise(document)
        if list in kinds:
            at = kinds.index(list)
            if kinds.count(list) > 1 or len(values[at]) > limits.MAX_INDEX_KEYS:
                return otherwise(document)
            return _element_entries(values, at, order)
        if sparse and all(value is MISSING for value in values):
            return NO_ENTRIES
        return Entries((b"".join(map(_ordered, values, order)),), 0)

    return entries


def _element_entries(values: Sequence[Any], at: int, order: Sequence[bool]) -> Entries:
    """An entry for each element of the array at a position, with the other fields before and behind."""
    before = b"".join(map(_ordered, values[:at], order))
    behind = b"".join(map(_ordered, values[at + 1 :], order[at + 1 :]))
    inverted = order[at]
    keys = {before + _ordered(element, inverted) + behind for element in values[at] or (EMPTY,)}
    return Entries(tuple(sorted(keys)), 1 << at)


def _partial_entries(chosen: Filter, entries: EntriesOf) -> EntriesOf:
    matches = chosen.matches
    return lambda document: entries(document) if matches(document) else NO_ENTRIES


class _Beyond:
    """The type of what is beyond an array."""


_BEYOND: Final = _Beyond()


def _follow(document: Any, parts: tuple[str, ...]) -> Any:
    """The value at a path through documents; `_BEYOND` where an array is on the way."""
    value = document
    for part in parts:
        if type(value) is not dict:
            return _BEYOND if type(value) is list else MISSING
        value = value.get(part, MISSING)
    return value


def _ordered(value: Any, inverted: bool) -> bytes:
    key = _NO_VALUES.get(type(value)) or encode_value(value)
    return invert(key) if inverted else key
