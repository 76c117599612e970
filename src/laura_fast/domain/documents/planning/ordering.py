"""Whether a way through an index brings documents in the order that was asked for.

Documents that tie are to come in the order of `_id`, so that pages don't overlap. An index read forwards does that
where nothing but `_id` follows the fields of the sort; else the order is right up to ties (`Order.TIES`).

Arrays: a sort goes by the entry that comes first of all that the document has in an index on the same fields. An index
that met arrays at a field gives that order by each document's first appearance, if all its entries are there (it is
not sparse) and read (neither that field nor one below the same array has bounds).

An index with keys that the storage had to cut gives no order at all.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.domain.documents.indexing.extraction import has_position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.documents.indexing.definitions import IndexField
    from laura_fast.domain.documents.planning.access import Access


class Order(Enum):
    """How documents come."""

    NONE = "none"
    TIES = "sorted, but equal ones not by _id"
    FULL = "sorted"


class Ordering(NamedTuple):
    """How documents come from an access.

    Attributes:
        order: As asked for, or not.
        reverse: When the index is read backwards.
    """

    order: Order
    reverse: bool


UNORDERED: Final = Ordering(Order.NONE, reverse=False)


def ordering(access: Access, sort: Sequence[tuple[str, bool]]) -> Ordering:
    """How documents come when the index is read for a sort, given as (path, descending)."""
    if access.available.long_keys:
        return UNORDERED
    walk = _Walk(access)
    for path, is_descending in sort:
        if not walk.meets(path, is_descending):
            return UNORDERED
        if path == "_id":
            return Ordering(Order.FULL, walk.reverse)
    return Ordering(Order.FULL if walk.ends_with_id() else Order.TIES, walk.reverse)


class _Walk:
    """Along the fields of the index, as the sort asks for them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._fields: tuple[IndexField, ...] = access.available.index.definition.fields
        self._next = 0
        self._reverse: bool | None = None

    @property
    def reverse(self) -> bool:
        return bool(self._reverse)

    def meets(self, path: str, is_descending: bool) -> bool:
        """Whether the order goes on with this field of the sort."""
        if self._is_constant(path):
            return True
        self._skip_fixed()
        if self._next == len(self._fields):
            return path == "_id" and self._turns(is_descending)
        field = self._fields[self._next]
        if field.path != path or not self._is_faithful(self._next):
            return False
        self._next += 1
        return self._turns(is_descending is not field.descending)

    def ends_with_id(self) -> bool:
        """Whether the entries of documents that tie are in the order of `_id`."""
        self._skip_fixed()
        following = self._fields[self._next :]
        if following:
            return following[0].path == "_id" and following[0].descending is self.reverse
        return not self.reverse

    def _turns(self, reverse: bool) -> bool:
        """Whether the direction is still the same for all fields."""
        if self._reverse is None:
            self._reverse = reverse
        return self._reverse is reverse

    def _is_constant(self, path: str) -> bool:
        return any(
            field.path == path and self._access.is_fixed(at) and not self._access.available.met_arrays(at)
            for at, field in enumerate(self._fields)
        )

    def _skip_fixed(self) -> None:
        while self._next < len(self._fields) and self._access.is_fixed(self._next):
            self._next += 1

    def _is_faithful(self, position: int) -> bool:
        """Whether a document's first entry is the one that the sort means."""
        available, bounds = self._access.available, self._access.bounds
        if not available.met_arrays(position):
            return True
        path = self._fields[position].path
        if has_position(path) or available.index.definition.sparse:
            return False
        root = path.split(".")[0]
        return not any(  # its own bounds are among them
            available.met_arrays(at) and field.path.split(".")[0] == root
            for at, field in enumerate(self._fields[: len(bounds)])
        )
