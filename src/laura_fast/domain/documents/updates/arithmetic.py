"""Arithmetic on BSON numbers, by MongoDB's rules of types.

===================  =================================================================
operands             result
===================  =================================================================
int32, int32         int32; int64 where that is too narrow
int64 and integer    int64; beyond that an `OverflowError`, never a silent double
double and integer   double
decimal128 and any   decimal128, 34 digits; a double counts with its first 15 digits
===================  =================================================================

An int32 is an `int`, an int64 an `Int64`, as pymongo decodes them. A bool is no number.
"""

from __future__ import annotations

import operator
from decimal import Context
from typing import TYPE_CHECKING, Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64

from laura_fast.domain.documents.expressions.numbers import DECIMAL_CONTEXT, from_decimal, to_decimal
from laura_fast.domain.documents.kinds import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

BITWISE: Final[dict[str, Callable[[int, int], int]]] = {
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}


def add(one: Any, other: Any) -> Any:
    """The sum. Raises `OverflowError` where an integer would not fit in 64 bits."""
    return _combine(one, other, operator.add, Context.add)


def multiply(one: Any, other: Any) -> Any:
    """The product. Raises `OverflowError` where an integer would not fit in 64 bits."""
    return _combine(one, other, operator.mul, Context.multiply)


def bitwise(name: str, one: int, other: int) -> int:
    """`name` is one of `BITWISE`; an int32 stays one unless the other operand is an int64."""
    return _integer(BITWISE[name](one, other), Int64 in (type(one), type(other)))


def _combine(
    one: Any, other: Any, plain: Callable[[Any, Any], Any], exact: Callable[[Context, Decimal, Decimal], Decimal]
) -> Any:
    kinds = (type(one), type(other))
    if Decimal128 in kinds:
        return from_decimal(exact(DECIMAL_CONTEXT, to_decimal(one), to_decimal(other)))
    result = plain(one, other)
    return result if float in kinds else _integer(result, Int64 in kinds)


def _integer(result: int, wide: bool) -> int:
    if not wide and INT32_MIN <= result <= INT32_MAX:
        return int(result)
    if INT64_MIN <= result <= INT64_MAX:
        return Int64(result)
    raise OverflowError(f"{result} does not fit in a 64-bit integer")
