"""The order of a query's results, by MongoDB's rules.

A missing field sorts like null. Of an array, the element that comes first in the field's direction counts: the least
one when ascending, the greatest when descending; an empty array comes before null. That is what an index on the same
fields has for the document, and so the keys of a sort are those of such an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from laura_fast import limits
from laura_fast.domain.documents.indexing.definitions import IndexDefinition, IndexField
from laura_fast.domain.documents.indexing.entries import row_entries, scalar_entries
from laura_fast.domain.documents.keys import encode_value
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from laura_fast.domain.documents.codec import Document


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


def smallest(documents: Iterable[Document], sort: Sort, count: int) -> list[Document]:
    """The first `count` documents of the order asked for, with no more in memory; ties are in the order of `_id`."""
    return nsmallest(count, documents, key=stable_key(sort))


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
    definition = IndexDefinition("sort", fields)
    entries = scalar_entries(definition, row_entries(definition))

    def key(document: Document) -> bytes:
        try:
            return entries(document).keys[0]
        except InvalidArgumentError as error:
            raise _invalid(error.message) from None

    return key


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, "SORT_INVALID")
