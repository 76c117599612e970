"""What an index is, read from and written as the document that MongoDB's `createIndexes` takes.

The rules are those of MongoDB's manual, "Indexes" and the `createIndexes` command. Kinds of indexes that are not here
(text, hashed, geospatial, wildcard, expiring, with a collation) are refused by name, never taken for plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from laura_fast.domain.documents.keys import encode_value
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits

ID_INDEX_NAME: Final = "_id_"
"""Name of the index that every collection has: the documents themselves, which lie in the order of `_id`."""

_IGNORED: Final = frozenset({"v", "background", "ns"})
"""What `listIndexes` of MongoDB adds or older drivers send: nothing here depends on it."""

_UNSUPPORTED: Final = frozenset(
    {
        "expireAfterSeconds",
        "collation",
        "hidden",
        "wildcardProjection",
        "storageEngine",
        "weights",
        "default_language",
        "language_override",
        "textIndexVersion",
        "2dsphereIndexVersion",
        "bits",
        "min",
        "max",
        "prepareUnique",
        "clustered",
    }
)


class IndexField(NamedTuple):
    """One field of an index: a dotted path, and whether larger values come first."""

    path: str
    descending: bool


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index as its creator asked for it; valid by construction through `parse_definition`.

    Attributes:
        name: Unique within the collection.
        fields: At least one, each path once, most significant first.
        unique: No two documents share a key.
        sparse: Documents without any of the fields have no entry.
        partial: Only documents that match this filter have entries; None = all of them.
    """

    name: str
    fields: tuple[IndexField, ...]
    unique: bool = False
    sparse: bool = False
    partial: Mapping[str, Any] | None = None

    def to_document(self) -> dict[str, Any]:
        """The document from which `parse_definition` makes an equal definition; only what was asked for is in it."""
        document: dict[str, Any] = {"key": key_pattern(self.fields), "name": self.name}
        if self.unique:
            document["unique"] = True
        if self.sparse:
            document["sparse"] = True
        if self.partial is not None:
            document["partialFilterExpression"] = dict(self.partial)
        return document


ID_INDEX: Final = IndexDefinition(ID_INDEX_NAME, (IndexField("_id", descending=False),), unique=True)


def parse_definition(document: Mapping[str, Any]) -> IndexDefinition:
    """Reads `{"key": {"a": 1, "b": -1}, "name"?, "unique"?, "sparse"?, "partialFilterExpression"?}`.

    Returns:
        The definition; `ID_INDEX` for the key `{"_id": 1}`, which every collection has already.

    Raises:
        InvalidArgumentError: With the reason INVALID_INDEX, and what is wrong by name.
    """
    _refuse_unknown_options(document)
    fields = _parse_key(document.get("key"))
    if fields == ID_INDEX.fields:
        return _id_definition(document)
    unique, sparse = (_flag(document, option) for option in ("unique", "sparse"))
    partial = _parse_partial(document.get("partialFilterExpression"))
    if sparse and partial is not None:
        _refuse('an index can\'t be both "sparse" and have a "partialFilterExpression": the latter says it all')
    return IndexDefinition(_parse_name(document, fields), fields, unique, sparse, partial)


def conflict(wanted: IndexDefinition, other: IndexDefinition) -> str:
    """Why one collection can't have both; empty where it can, or where they are the same."""
    same = _signature(wanted) == _signature(other)
    if wanted.name == other.name and not same:
        return f'there is another index with the name "{other.name}"'
    if wanted.name != other.name and same:
        return f'the index "{other.name}" is the same but for its name'
    return ""


def key_pattern(fields: tuple[IndexField, ...]) -> dict[str, int]:
    """The fields as MongoDB writes them: `{"a": 1, "b": -1}`."""
    return {path: -1 if descending else 1 for path, descending in fields}


def default_name(fields: tuple[IndexField, ...]) -> str:
    """The name that MongoDB's drivers make: `a_1_b_-1`."""
    return "_".join(f"{path}_{order}" for path, order in key_pattern(fields).items())


def _signature(definition: IndexDefinition) -> tuple[object, ...]:
    """What an index is, apart from its name. Filters compare as values do: in Python, True is 1."""
    partial = None if definition.partial is None else encode_value(dict(definition.partial))
    return definition.fields, definition.unique, definition.sparse, partial


def _refuse_unknown_options(document: Mapping[str, Any]) -> None:
    for option in document.keys() - {"key", "name", "unique", "sparse", "partialFilterExpression"} - _IGNORED:
        verdict = "not supported" if option in _UNSUPPORTED else "unknown"
        _refuse(f'the index option "{option}" is {verdict}')


def _parse_key(key: object) -> tuple[IndexField, ...]:
    if not isinstance(key, Mapping) or not key:
        _refuse('an index needs a "key": a document of fields, such as {"a": 1, "b": -1}')
    if len(key) > limits.MAX_INDEX_FIELDS:
        _refuse(f'the "key" of an index has {len(key)} fields, more than {limits.MAX_INDEX_FIELDS}')
    return tuple(IndexField(_checked_path(path), _descending(path, order)) for path, order in key.items())


def _checked_path(path: str) -> str:
    parts = path.split(".")
    if "$**" in parts:
        _refuse(f'the index field "{path}" asks for a wildcard index, which is not supported')
    if not all(parts) or any(part.startswith("$") for part in parts):
        _refuse(f'the index field "{path}" has an empty part or one that begins with "$"')
    return path


def _descending(path: str, order: object) -> bool:
    if isinstance(order, str):
        _refuse(f'the index field "{path}" asks for an index of the kind "{order}", which is not supported')
    if isinstance(order, bool) or not isinstance(order, (int, float)) or not (order > 0 or order < 0):
        _refuse(f'the order of the index field "{path}" must be 1 or -1')
    return order < 0


def _flag(document: Mapping[str, Any], option: str) -> bool:
    value = document.get(option, False)
    if not isinstance(value, (bool, int, float)):
        _refuse(f'the index option "{option}" must be true or false')
    return bool(value)


def _parse_partial(partial: object) -> Mapping[str, Any] | None:
    if partial is not None and not isinstance(partial, Mapping):
        _refuse('the index option "partialFilterExpression" must be a document')
    return partial


def _parse_name(document: Mapping[str, Any], fields: tuple[IndexField, ...]) -> str:
    name = document.get("name", default_name(fields))
    if not isinstance(name, str) or not name or name == "*" or "\0" in name:
        _refuse('the "name" of an index must be a string, neither empty nor "*", without a null character')
    if name == ID_INDEX_NAME:
        _refuse(f'the index name "{ID_INDEX_NAME}" belongs to the index on "_id"')
    if len(name.encode()) > limits.MAX_INDEX_NAME_BYTES:
        _refuse(f'the "name" of an index is longer than {limits.MAX_INDEX_NAME_BYTES} bytes')
    return name


def _id_definition(document: Mapping[str, Any]) -> IndexDefinition:
    for option in ("sparse", "partialFilterExpression"):
        if document.get(option):
            _refuse(f'the index on "_id" can\'t have the option "{option}"')
    if document.get("name", ID_INDEX_NAME) not in {ID_INDEX_NAME, default_name(ID_INDEX.fields)}:
        _refuse(f'the index on "_id" is named "{ID_INDEX_NAME}"')
    return ID_INDEX


def _refuse(message: str) -> NoReturn:
    raise InvalidArgumentError(message, "INVALID_INDEX")
