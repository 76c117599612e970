"""`$pow`, `$sqrt`, `$exp` and the logarithms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64

from laura_fast.domain.documents.expressions.numbers import (
    DECIMAL_CONTEXT,
    from_decimal,
    from_integer,
    is_zero,
    numeric,
    numeric_pair,
    to_decimal,
    to_double,
)
from laura_fast.domain.documents.expressions.part import Eager
from laura_fast.domain.documents.expressions.values import failed

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

_INT64_BITS: Final = 64


def power(base: Any, exponent: Any) -> Any:
    """`$pow`: an integer where both are and the result fits, else a double; or a decimal."""
    if is_zero(base) and to_double(exponent) < 0:
        raise failed("$pow can't raise 0 to a negative exponent")
    if type(base) is Decimal128 or type(exponent) is Decimal128:
        return from_decimal(DECIMAL_CONTEXT.power(to_decimal(base), to_decimal(exponent)))
    if type(base) is float or type(exponent) is float or exponent < 0:
        return _double_power(float(base), float(exponent))
    wide = Int64 in {type(base), type(exponent)}
    if exponent >= _INT64_BITS:
        if base not in {-1, 0, 1}:
            return _double_power(float(base), float(exponent))
        exponent = _INT64_BITS - exponent % 2
    return from_integer(base**exponent, wide=wide)


def _double_power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.nan


def _root(value: Any) -> Any:
    if type(value) is not Decimal128:
        if value < 0:
            raise failed("$sqrt takes no negative number")
        return math.sqrt(value)
    exact = to_decimal(value)
    if exact.is_signed() and not exact.is_nan() and not exact.is_zero():
        raise failed("$sqrt takes no negative number")
    return from_decimal(DECIMAL_CONTEXT.sqrt(exact))


def _exponential(value: Any) -> Any:
    if type(value) is Decimal128:
        return from_decimal(DECIMAL_CONTEXT.exp(to_decimal(value)))
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def logarithm(name: str, doubles: Callable[[float], float], decimals: Callable[[Decimal], Decimal]) -> Eager:
    """A logarithm of a positive number."""

    def apply(value: Any) -> Any:
        if to_double(value) <= 0:
            raise failed(f"{name} takes a positive number")
        return from_decimal(decimals(to_decimal(value))) if type(value) is Decimal128 else doubles(value)

    return Eager(numeric(name, apply))


def _log(value: Any, base: Any) -> Any:
    if to_double(value) <= 0 or to_double(base) <= 0 or to_double(base) == 1:
        raise failed("$log takes a positive number and a positive base that is not 1")
    if type(value) is Decimal128 or type(base) is Decimal128:
        context = DECIMAL_CONTEXT
        return from_decimal(context.divide(context.ln(to_decimal(value)), context.ln(to_decimal(base))))
    return math.log(value) / math.log(base)


POWERS: Final = {
    "$pow": Eager(numeric_pair("$pow", power), 2, 2),
    "$log": Eager(numeric_pair("$log", _log), 2, 2),
    "$sqrt": Eager(numeric("$sqrt", _root)),
    "$exp": Eager(numeric("$exp", _exponential)),
    "$ln": logarithm("$ln", math.log, DECIMAL_CONTEXT.ln),
    "$log10": logarithm("$log10", math.log10, DECIMAL_CONTEXT.log10),
}
