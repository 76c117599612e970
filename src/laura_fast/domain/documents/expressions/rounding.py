"""`$ceil`, `$floor`, `$round` and `$trunc`: the type of the number stays."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64

from laura_fast.domain.documents.expressions.numbers import (
    from_decimal,
    from_integer,
    numeric,
    numeric_pair,
    to_decimal,
    to_double,
)
from laura_fast.domain.documents.expressions.part import Eager
from laura_fast.domain.documents.expressions.values import failed

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_PLACE: Final = -20
_MOST_PLACE: Final = 100
_EXACT: Final = Context(prec=6500, Emin=-7000, Emax=7000, traps=[])
"""Wide enough for every digit of a double or decimal128 that a place may ask for."""


def _to_whole(mode: str, doubles: Callable[[float], int]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if type(value) is Decimal128:
            return from_decimal(to_decimal(value).to_integral_value(mode))
        if type(value) is float:
            return math.copysign(doubles(value), value) if math.isfinite(value) else value
        return value

    return apply


def _to_place(name: str, mode: str) -> Callable[..., Any]:
    def at_place(value: Any, place: Any) -> Any:
        digits = _place(name, place)
        if type(value) is int or type(value) is Int64:
            if digits >= 0:
                return value
            return from_integer(int(_quantized(Decimal(value), digits, mode)), wide=type(value) is Int64)
        if type(value) is Decimal128:
            return from_decimal(_quantized(to_decimal(value), digits, mode))
        return float(_quantized(Decimal(value), digits, mode))

    pair = numeric_pair(name, at_place)
    return lambda value, place=0: pair(value, place)


def _quantized(value: Decimal, digits: int, mode: str) -> Decimal:
    if not value.is_finite() or int(value.as_tuple().exponent) >= -digits:
        return value
    return value.quantize(Decimal((0, (1,), -digits)), rounding=mode, context=_EXACT)


def _place(name: str, place: Any) -> int:
    digits = to_double(place)
    if not digits.is_integer() or not _LEAST_PLACE <= digits <= _MOST_PLACE:
        raise failed(f"{name} takes a whole place from {_LEAST_PLACE} to {_MOST_PLACE}, not {place}")
    return int(digits)


ROUNDING: Final = {
    "$ceil": Eager(numeric("$ceil", _to_whole(ROUND_CEILING, math.ceil))),
    "$floor": Eager(numeric("$floor", _to_whole(ROUND_FLOOR, math.floor))),
    "$round": Eager(_to_place("$round", ROUND_HALF_EVEN), 1, 2),
    "$trunc": Eager(_to_place("$trunc", ROUND_DOWN), 1, 2),
}
