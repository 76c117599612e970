"""What `$group` computes from the values of a group, and what the same operators give for the elements of an array."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final, Protocol

from laura_fast.domain.documents.expressions.comparison import comparing
from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Part, Scope, carrying, operands
from laura_fast.domain.documents.expressions.sizes import memory_bytes
from laura_fast.domain.documents.expressions.totals import Total
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import MISSING, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy

_SIZED: Final = frozenset({str, bytes, dict, list})
_KEY_BYTES: Final = 100
"""A key in a set with its place there, beside its octets."""


class Accumulator(Protocol):
    """The state of one group. `merge` takes what `partial` of another gave, and is as if its values had been added."""

    def add(self, value: Any) -> None: ...

    def result(self) -> Any: ...

    def partial(self) -> Any:
        """The state as a BSON value."""

    def merge(self, state: Any) -> None: ...


class Sum(Total):
    """`$sum`: what is no number counts as nothing; the sum of nothing is 0."""

    __slots__ = ()
    result = Total.sum


class Average(Total):
    """`$avg` of the numbers among the values; null if there are none."""

    __slots__ = ()
    result = Total.average


class Count:
    """`$count`: how many documents."""

    __slots__ = ("_total",)

    def __init__(self) -> None:
        self._total = 0

    def add(self, _: Any) -> None:
        self._total += 1

    def result(self) -> int:
        return self._total

    partial = result

    def merge(self, state: int) -> None:
        self._total += state


class _Held:
    """Keeps one value and reports what it takes."""

    __slots__ = ("_hold", "_size", "_value")

    def __init__(self, hold: Callable[[int], None]) -> None:
        self._value: Any = MISSING
        self._hold = hold
        self._size = 0

    def _keep(self, value: Any) -> None:
        size = memory_bytes(value) if type(value) in _SIZED else 0
        if size != self._size:
            self._hold(size - self._size)
            self._size = size
        self._value = value

    def result(self) -> Any:
        return None if self._value is MISSING else self._value

    def partial(self) -> Any:
        return [] if self._value is MISSING else [self._value]


class _Extreme(_Held):
    __slots__ = ("_precedes",)

    def __init__(self, hold: Callable[[int], None], precedes: Callable[[Any, Any], bool]) -> None:
        super().__init__(hold)
        self._precedes = precedes

    def add(self, value: Any) -> None:
        if (
            value is not None
            and value is not MISSING
            and (self._value is MISSING or self._precedes(value, self._value))
        ):
            self._keep(value)

    def merge(self, state: list[Any]) -> None:
        for value in state:
            self.add(value)


class First(_Held):
    """`$first`: null if the first document of the group has no value."""

    __slots__ = ("_empty",)

    def __init__(self, hold: Callable[[int], None]) -> None:
        super().__init__(hold)
        self._empty = True

    def add(self, value: Any) -> None:
        if self._empty:
            self._empty = False
            self._keep(value)

    def merge(self, state: list[Any]) -> None:
        self.add(state[0] if state else MISSING)


class Last(_Held):
    """`$last`: null if the last document of the group has no value."""

    __slots__ = ()

    def add(self, value: Any) -> None:
        self._keep(value)

    def merge(self, state: list[Any]) -> None:
        self.add(state[0] if state else MISSING)


class Push:
    """`$push`: all values in order; missing ones are left out."""

    __slots__ = ("_hold", "_values")

    def __init__(self, hold: Callable[[int], None]) -> None:
        self._values: list[Any] = []
        self._hold = hold

    def add(self, value: Any) -> None:
        if value is not MISSING:
            self._hold(memory_bytes(value))
            self._values.append(value)

    def result(self) -> list[Any]:
        return self._values

    partial = result

    def merge(self, state: list[Any]) -> None:
        for value in state:
            self.add(value)


class AddToSet:
    """`$addToSet`: the distinct values, in the order in which they were first seen."""

    __slots__ = ("_hold", "_values")

    def __init__(self, hold: Callable[[int], None]) -> None:
        self._values: dict[bytes, Any] = {}
        self._hold = hold

    def add(self, value: Any) -> None:
        if value is MISSING:
            return
        key = encode_value(value)
        if key not in self._values:
            self._hold(_KEY_BYTES + len(key) + memory_bytes(value))
            self._values[key] = value

    def result(self) -> list[Any]:
        return list(self._values.values())

    partial = result

    def merge(self, state: list[Any]) -> None:
        for value in state:
            self.add(value)


class Deviation:
    """`$stdDevPop` or, of a sample, `$stdDevSamp`: of the numbers among the values; null if they are too few.

    Moments are kept as Welford does and merged as Chan does, so shards may differ from one place in the last digits.
    """

    __slots__ = ("_count", "_fewer", "_mean", "_squares")

    def __init__(self, fewer: int) -> None:
        """`fewer` is 1 for a sample, whose deviations are divided by one less."""
        self._fewer = fewer
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, value: Any) -> None:
        if type(value) not in NUMBERS:
            return
        number = to_double(value)
        self._count += 1
        distance = number - self._mean
        self._mean += distance / self._count
        self._squares += distance * (number - self._mean)

    def result(self) -> float | None:
        if self._count <= self._fewer:
            return None
        variance = self._squares / (self._count - self._fewer)
        return math.sqrt(variance) if math.isfinite(variance) else math.nan

    def partial(self) -> list[Any]:
        return [self._count, self._mean, self._squares]

    def merge(self, state: list[Any]) -> None:
        count, mean, squares = state
        if not count:
            return
        if not self._count:
            self._count, self._mean, self._squares = count, mean, squares
            return
        total = self._count + count
        distance = mean - self._mean
        self._squares += squares + distance * distance * self._count * count / total
        self._mean += distance * count / total
        self._count = total


_precedes = comparing(operator.lt)
_follows = comparing(operator.gt)

ACCUMULATORS: Final[dict[str, Callable[[Callable[[int], None]], Accumulator]]] = {
    "$sum": lambda _: Sum(),
    "$avg": lambda _: Average(),
    "$min": lambda hold: _Extreme(hold, _precedes),
    "$max": lambda hold: _Extreme(hold, _follows),
    "$count": lambda _: Count(),
    "$first": First,
    "$last": Last,
    "$push": Push,
    "$addToSet": AddToSet,
    "$stdDevPop": lambda _: Deviation(0),
    "$stdDevSamp": lambda _: Deviation(1),
}
"""The state of a new group by the accumulator's name. Each is given the function that counts the memory it holds."""

ORDER_DEPENDENT: Final = frozenset({"$first", "$last", "$push"})
"""Accumulators whose result depends on the order of the documents."""


def _over_arrays(name: str, spec: Any, scope: Scope) -> Part:
    """As an expression: over the operands or, of a single one, over the elements of the array that it is."""
    create = ACCUMULATORS[name]
    parts = scope.compile_all(operands(name, spec, 0, None))
    evaluates = [part.evaluate for part in parts]

    def evaluate(document: Any) -> Any:
        state = create(_ignore)
        values = [part(document) for part in evaluates]
        for value in values[0] if len(values) == 1 and type(values[0]) is list else values:
            state.add(value)
        return state.result()

    return carrying(parts, evaluate)


def _ignore(_: int) -> None:
    """Expressions hold nothing beyond the document they look at."""


OVER_ARRAYS: Final[dict[str, Lazy]] = dict.fromkeys(
    ("$sum", "$avg", "$min", "$max", "$stdDevPop", "$stdDevSamp"), _over_arrays
)
