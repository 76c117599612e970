"""`$add`, `$multiply` and their kin. Null and missing operands give null; what is no number is an error."""

from __future__ import annotations

import math
import operator
from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.numbers import (
    DECIMAL_CONTEXT,
    from_decimal,
    from_integer,
    is_zero,
    numeric,
    numeric_pair,
    promoting,
    to_decimal,
)
from laura_fast.domain.documents.expressions.part import Eager
from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import INT64_MAX, INT64_MIN, NUMBERS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy, Part, Scope

_plus = promoting(operator.add, operator.add, DECIMAL_CONTEXT.add)
_minus = promoting(operator.sub, operator.sub, DECIMAL_CONTEXT.subtract)
_times = promoting(operator.mul, operator.mul, DECIMAL_CONTEXT.multiply)


def add(left: Any, right: Any) -> Any:
    """`$add` of two: numbers, or a date and milliseconds."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _plus(left, right)
    for value in (left, right):
        if is_nullish(value):
            return None
        if type(value) not in NUMBERS and type(value) is not DatetimeMS:
            raise failed(f"$add takes numbers and dates, not {type_name(value)}")
    if type(left) is type(right):
        raise failed("$add takes one date at most")
    return _shifted("$add", left, right) if type(left) is DatetimeMS else _shifted("$add", right, left)


def subtract(left: Any, right: Any) -> Any:
    """`$subtract`: numbers, milliseconds from a date, or a date from a date (giving milliseconds)."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _minus(left, right)
    if is_nullish(left) or is_nullish(right):
        return None
    if type(left) is DatetimeMS and type(right) is DatetimeMS:
        return from_integer(int(left) - int(right), wide=True)
    if type(left) is DatetimeMS and type(right) in NUMBERS:
        return _shifted("$subtract", left, _minus(0, right))
    raise failed(f"$subtract can't take {type_name(right)} from {type_name(left)}")


def multiply(left: Any, right: Any) -> Any:
    """`$multiply` of two numbers."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _times(left, right)
    for value in (left, right):
        if is_nullish(value):
            return None
        if type(value) not in NUMBERS:
            raise failed(f"$multiply takes numbers, not {type_name(value)}")
    raise AssertionError("one of the two is no number")


def _shifted(name: str, date: DatetimeMS, milliseconds: Any) -> DatetimeMS:
    exact = to_decimal(milliseconds)
    if exact.is_finite() and exact.copy_abs() <= INT64_MAX:
        moved = int(date) + int(exact.to_integral_value(ROUND_HALF_UP))
        if INT64_MIN <= moved <= INT64_MAX:
            return DatetimeMS(moved)
    raise failed(f"{name} would leave the range of dates")


def chain(pair: Callable[[Any, Any], Any], neutral: int) -> Lazy:
    """An operator of any number of operands, taken from the left; of two, the usual number, without a loop."""

    def apply(*values: Any) -> Any:
        total: Any = neutral
        for value in values:
            total = pair(total, value)
            if total is None:
                return None
        return total

    two, many = Eager(pair, 2, 2), Eager(apply, 0, None)

    def compile_chain(name: str, spec: Any, scope: Scope) -> Part:
        return (two if type(spec) is list and len(spec) == two.least else many).compile(name, spec, scope)

    return compile_chain


def divide(left: Any, right: Any) -> Any:
    """`$divide`: a double even of two integers, or a decimal."""
    if is_zero(right):
        raise failed("can't $divide by zero")
    if type(left) is Decimal128 or type(right) is Decimal128:
        return from_decimal(DECIMAL_CONTEXT.divide(to_decimal(left), to_decimal(right)))
    return float(left) / float(right)


def _integer_remainder(left: int, right: int) -> int:
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _double_remainder(left: float, right: float) -> float:
    return math.nan if math.isinf(left) else math.fmod(left, right)


_remainder = promoting(_integer_remainder, _double_remainder, DECIMAL_CONTEXT.remainder)


def modulo(left: Any, right: Any) -> Any:
    """`$mod`: the sign is that of the dividend."""
    if is_zero(right):
        raise failed("can't $mod by zero")
    return _remainder(left, right)


def absolute(value: Any) -> Any:
    """`$abs`: the type stays, but for the smallest int32."""
    if type(value) is Decimal128:
        return from_decimal(to_decimal(value).copy_abs())
    if type(value) is float:
        return abs(value)
    if value == INT64_MIN:
        raise failed("$abs of the smallest int64 is no int64")
    return from_integer(abs(value), wide=type(value) is Int64)


ARITHMETIC: Final[dict[str, Eager | Lazy]] = {
    "$add": chain(add, 0),
    "$multiply": chain(multiply, 1),
    "$subtract": Eager(subtract, 2, 2),
    "$divide": Eager(numeric_pair("$divide", divide), 2, 2),
    "$mod": Eager(numeric_pair("$mod", modulo), 2, 2),
    "$abs": Eager(numeric("$abs", absolute)),
}
