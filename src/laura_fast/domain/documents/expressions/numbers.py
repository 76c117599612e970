"""Result types of numeric operators: int32 widens to int64 and int64 to double; decimal128 wins over all.

Doubles become decimals at 15 significant digits, as in MongoDB, so that 0.1 is a tenth there.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64

from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, NUMBERS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

DECIMAL_CONTEXT: Final = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, capitals=1, clamp=1, flags=[], traps=[]
)
"""IEEE 754 decimal128: results are rounded, never refused."""


def from_integer(value: int, *, wide: bool) -> int | float:
    """An exact integer as the narrowest type from int32 on, or from int64 on if `wide`, that holds it."""
    if not wide and INT32_MIN <= value <= INT32_MAX:
        return int(value)
    if INT64_MIN <= value <= INT64_MAX:
        return Int64(value)
    return to_double(value)


def to_double(value: Any) -> float:
    """Any number as a double; what is beyond its range becomes infinite."""
    try:
        return float(to_decimal(value)) if type(value) is Decimal128 else float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def to_decimal(value: Any) -> Decimal:
    """Any number as a decimal. A signalling NaN, which Python would raise for, becomes a quiet one."""
    kind = type(value)
    if kind is Decimal128:
        exact: Decimal = value.to_decimal()
        return Decimal("NaN") if exact.is_snan() else exact
    if kind is float:
        return Decimal(format(value, ".14e"))
    return Decimal(value)


def from_decimal(value: Decimal) -> Decimal128:
    """A decimal as a BSON value, rounded to its 34 digits."""
    if value.is_nan():
        return Decimal128("NaN")
    return Decimal128(DECIMAL_CONTEXT.plus(value))


def promoting(
    integers: Callable[[int, int], int],
    doubles: Callable[[float, float], float],
    decimals: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[Any, Any], Any]:
    """An operation on any two numbers, whose result has the type that MongoDB gives it."""

    def apply(left: Any, right: Any) -> Any:
        one, other = type(left), type(right)
        if one is Decimal128 or other is Decimal128:
            return from_decimal(decimals(to_decimal(left), to_decimal(right)))
        if one is float or other is float:
            return doubles(left, right)
        value = integers(left, right)
        if one is int and other is int and INT32_MIN <= value <= INT32_MAX:
            return value
        return from_integer(value, wide=True)

    return apply


def is_zero(value: Any) -> bool:
    """Whether a number is zero, of whatever sign."""
    return bool(value.to_decimal().is_zero()) if type(value) is Decimal128 else bool(value == 0)


def numeric_pair(name: str, pair: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator of two numbers that answers null as soon as either is null or missing."""

    def apply(left: Any, right: Any) -> Any:
        if type(left) in NUMBERS and type(right) in NUMBERS:
            return pair(left, right)
        if is_nullish(left) or is_nullish(right):
            return None
        raise failed(f"{name} takes numbers, not {type_name(left)} and {type_name(right)}")

    return apply


def numeric(name: str, single: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An operator of one number; null for null and missing."""

    def apply(value: Any) -> Any:
        if type(value) in NUMBERS:
            return single(value)
        if is_nullish(value):
            return None
        raise failed(f"{name} takes a number, not {type_name(value)}")

    return apply
