"""The order of a query's results, by MongoDB's rules.

A missing field sorts like null. Of an array, the element that comes first in the field's direction counts: the least
one when ascending, the greatest when descending; an empty array comes before null. That is what an index on the same
fields has for the document, and so the keys of a sort are those of such an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.indexing.definitions import IndexDefinition, IndexField
from laura_fast.domain.documents.indexing.entries import row_entries, scalar_entries
from laura_fast.domain.documents.keys import encode_value, invert
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.documents.codec import Document

_NAME: Final = "sort"
_OF_INDEX: Final = f'index "{_NAME}": '
"""What the messages of the index that a sort is made of begin with."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A checked sort.

    Attributes:
        fields: Dotted paths, the most significant first, and whether larger values come first. None: any order will do.
        key: From a document to bytes that sort as asked. Raises InvalidArgumentError, with the reason SORT_INVALID, for
            a document with arrays side by side in two of the fields.
    """

    fields: tuple[tuple[str, bool], ...]
    key: Callable[[Document], bytes]


def compile_sort(order: Mapping[str, Any]) -> Sort:
    """Checks a sort document such as `{"a": 1, "b.c": -1}`.

    Raises:
        InvalidArgumentError: SORT_INVALID, naming the field.
    """
    if len(order) > limits.MAX_SORT_FIELDS:
        raise _invalid(f"a sort by {len(order)} fields; at most {limits.MAX_SORT_FIELDS} are allowed")
    fields = tuple(IndexField(_checked_path(path), _descending(path, given)) for path, given in order.items())
    return Sort(fields, _key(fields))


def stable_key(sort: Sort) -> Callable[[Document], bytes]:
    """The key of a sort with `_id` behind it, so that no two documents of a collection tie."""
    key = sort.key
    return lambda document: key(document) + encode_value(document.get("_id"))


def _checked_path(path: str) -> str:
    if not all(parts := path.split(".")):
        raise _invalid(f"sort: the path {path!r} has an empty part")
    if any(part.startswith("$") for part in parts):
        raise _invalid(f"sort: the path {path!r} has a part that begins with $")
    return path


def _descending(path: str, given: Any) -> bool:
    if isinstance(given, bool) or not isinstance(given, int | float) or given not in (1, -1):
        raise _invalid(f"sort: the order of {path!r} must be 1 or -1")
    return given == -1


def _key(fields: tuple[IndexField, ...]) -> Callable[[Document], bytes]:
    if not fields:
        return lambda _document: b""
    definition = IndexDefinition(_NAME, fields)
    entries = scalar_entries(definition, row_entries(definition))

    def key(document: Document) -> bytes:
        try:
            return entries(document).keys[0]
        except InvalidArgumentError as error:
            raise _invalid(f"sort: {error.message.removeprefix(_OF_INDEX)}") from None

    return _single_key(*fields[0], key) if len(fields) == 1 and "." not in fields[0].path else key


def _single_key(name: str, descending: bool, otherwise: Callable[[Document], bytes]) -> Callable[[Document], bytes]:
    """A short cut for what most sorts are (bench/test_updates.py: several times faster)."""
    first = max if descending else min

    def key(document: Document) -> bytes:
        value = document.get(name)
        if type(value) is not list:
            found = encode_value(value)
        elif value:
            found = first(map(encode_value, value))
        else:
            return otherwise(document)
        return invert(found) if descending else found

    return key


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, "SORT_INVALID")
