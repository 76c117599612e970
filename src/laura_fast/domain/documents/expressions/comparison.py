"""`$eq`, `$lt` and their kin, over the total order of all types."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from bson import Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.part import Eager
from laura_fast.domain.documents.expressions.values import compare

if TYPE_CHECKING:
    from collections.abc import Callable

_NATURAL: Final = frozenset({int, str, Int64, DatetimeMS, ObjectId})
"""Types whose own order in Python is the one of MongoDB: code points sort as their UTF-8 bytes do."""


def comparing(test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    """A test of two values' order, such as `operator.lt`."""

    def apply(left: Any, right: Any) -> bool:
        kind = type(left)
        if kind is type(right) and (kind in _NATURAL or (kind is float and left == left and right == right)):  # noqa: PLR0124 - NaN equals NaN in MongoDB, not here
            return bool(test(left, right))
        return bool(test(compare(left, right), 0))

    return apply


def _cmp(left: Any, right: Any) -> int:
    found = compare(left, right)
    return (found > 0) - (found < 0)


COMPARISON: Final = {
    "$eq": Eager(comparing(operator.eq), 2, 2),
    "$ne": Eager(comparing(operator.ne), 2, 2),
    "$gt": Eager(comparing(operator.gt), 2, 2),
    "$gte": Eager(comparing(operator.ge), 2, 2),
    "$lt": Eager(comparing(operator.lt), 2, 2),
    "$lte": Eager(comparing(operator.le), 2, 2),
    "$cmp": Eager(_cmp, 2, 2),
}
