"""Sums that do not depend on the order of their terms, so that shards may add up their parts.

Integers and decimals are added exactly; of doubles an exact expansion is kept: the rounded sum, what the rounding lost,
and so on, as few numbers as that takes (Shewchuk 1997; `math.fsum` does the work). MongoDB's compensated sums are as
good in all but extreme cases, where these are better.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Final

from bson import Decimal128, Int64

from laura_fast.domain.documents.expressions.numbers import (
    DECIMAL_CONTEXT,
    from_decimal,
    from_integer,
    to_decimal,
    to_double,
)

_BUFFERED_DOUBLES: Final = 256
"""Doubles kept before they become an expansion: the cost of that is then small for each."""

_EXACT: Final = Context(prec=13_000, Emin=-20_000, Emax=20_000, traps=[])
"""From the smallest to the largest decimal128 there are 12,321 digits."""


class Total:
    """A sum of numbers; what is no number does not count.

    Attributes:
        count: Numbers so far.
    """

    __slots__ = ("_decimal", "_doubles", "_long", "_whole", "count")

    def __init__(self) -> None:
        self.count = 0
        self._whole: int | Fraction = 0
        self._long = False
        self._doubles: list[float] = []
        self._decimal: Decimal | None = None

    def add(self, value: Any) -> None:
        kind = type(value)
        if kind is int:
            self._whole += value
        elif kind is float:
            self._doubles.append(value)
            if len(self._doubles) >= _BUFFERED_DOUBLES:
                self._expand()
        elif kind is Int64:
            self._whole += value
            self._long = True
        elif kind is Decimal128:
            self._decimal = _EXACT.add(self._decimal or Decimal(0), to_decimal(value))
        else:
            return
        self.count += 1

    def sum(self) -> Any:
        """The sum, of the widest type among its terms: int32, int64 (both widen when they must), double, decimal128."""
        if self._decimal is not None:
            return from_decimal(self._exact_decimal(self._decimal))
        if self._doubles:
            return self._rounded()
        assert isinstance(self._whole, int), "fractions come from doubles"  # noqa: S101 - invariant, kept on
        return from_integer(self._whole, wide=self._long)

    def average(self) -> Any:
        """The mean: a double or, with decimals among the terms, a decimal; null of nothing."""
        if not self.count:
            return None
        if self._decimal is not None:
            return from_decimal(DECIMAL_CONTEXT.divide(self._exact_decimal(self._decimal), Decimal(self.count)))
        return self._rounded() / self.count

    def partial(self) -> dict[str, Any]:
        """The whole state as a BSON value, for `merge` elsewhere."""
        self._expand()
        state: dict[str, Any] = {"count": Int64(self.count), "whole": str(self._whole), "long": self._long}
        if self._doubles:
            state["doubles"] = list(self._doubles)
        if self._decimal is not None:
            state["decimal"] = str(self._decimal)
        return state

    def merge(self, state: dict[str, Any]) -> None:
        """Adds the terms of another total."""
        self.count += state["count"]
        whole = Fraction(state["whole"])
        self._whole += whole.numerator if whole.denominator == 1 else whole
        self._long = self._long or state["long"]
        self._doubles += state.get("doubles", ())
        self._expand()
        if "decimal" in state:
            self._decimal = _EXACT.add(self._decimal or Decimal(0), Decimal(state["decimal"]))

    def _expand(self) -> None:
        try:
            self._doubles = _expansion(self._doubles)
        except OverflowError:
            self._whole += sum(map(Fraction, self._doubles))
            self._doubles = [0.0]

    def _rounded(self) -> float:
        """The sum of integers and doubles as a double."""
        if special := _beyond_finite(self._doubles):
            return special
        high = to_double(self._whole)
        try:
            return math.fsum([*self._doubles, high, to_double(self._whole - Fraction(high))])
        except OverflowError:
            return to_double(self._whole + sum(map(Fraction, self._doubles)))

    def _exact_decimal(self, decimal: Decimal) -> Decimal:
        whole = Fraction(self._whole)
        total = _EXACT.add(decimal, _EXACT.divide(Decimal(whole.numerator), Decimal(whole.denominator)))
        for value in self._doubles:
            total = _EXACT.add(total, Decimal(value))
        return total


def _expansion(values: list[float]) -> list[float]:
    """Few doubles with exactly the same sum; at least one where there was one.

    Raises:
        OverflowError: They are finite and their sum, on the way at least, is not.
    """
    if special := _beyond_finite(values):
        return [special]
    rest, found = list(values), []
    while rounded := math.fsum(rest):
        found.append(rounded)
        rest.append(-rounded)
    return found or [0.0] * bool(values)


def _beyond_finite(values: list[float]) -> float:
    """The sum of infinities and NaNs, which decide alone (finite doubles beside them may overflow); 0 without them."""
    total = sum(value for value in values if not math.isfinite(value))
    return math.nan if math.isnan(total) else total  # the processor's NaN for ∞ - ∞ has a sign
