"""Random pipelines from a seed, over documents whose fields have a kind each: so that expressions seldom refuse them.

`n` and `m` are numbers, `s` is a string, `l` an array, `d` a document with `n`, `s` and `l`, and `a` is anything. Each
may be null or missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NUMBERS: Final = (0, 1, 2, 3, -1, 10, 1.5, -2.5, 0.1, 1.0)
WILD_NUMBERS: Final = (
    *NUMBERS,
    *(2**31 - 1, Int64(1), Int64(2**53 + 1), Int64(-(2**63)), 1e16, 1e308, float("inf"), float("nan"), -0.0),
    *(Decimal128("1"), Decimal128("0.1"), Decimal128("-1E+6000"), Decimal128("NaN"), Decimal128("9007199254740993")),
)
OTHERS: Final = (
    *(b"", b"a", ObjectId("507f1f77bcf86cd799439011"), MinKey(), MaxKey(), Regex("a", "i")),
    *(DatetimeMS(0), DatetimeMS(1_700_000_000_123), Timestamp(1, 1)),
)
TEXTS: Final = ("", "a", "ab", "B", "aB", "é", "1")
NUMERIC: Final = ("$n", "$m", "$d.n")
TEXTUAL: Final = ("$s", "$d.s")
FIELDS: Final = ("n", "m", "s", "l", "d", "a")
PATHS: Final = (*NUMERIC, *TEXTUAL, "$l", "$d", "$a", "$d.l", "$a.b", "$_id")
SIMPLE: Final = ("$sum", "$avg", "$min", "$max", "$count")
ACCUMULATORS: Final = (*SIMPLE, *SIMPLE, "$first", "$last", "$push", "$addToSet", "$stdDevPop", "$stdDevSamp")


class Dice:
    """Makes documents and pipelines; `wild` ones have numbers of all types and values of all kinds."""

    def __init__(self, rng: Random, *, wild: bool) -> None:
        self.rng = rng
        self._numbers = WILD_NUMBERS if wild else NUMBERS
        self._others = OTHERS if wild else ()

    def documents(self) -> list[dict[str, Any]]:
        """A small collection, in the order of `_id`."""
        return [{"_id": place, **self._document()} for place in range(self.rng.choice((0, 1, 3, 6, 12)))]

    def pipeline(self) -> list[dict[str, Any]]:
        """One to four stages, nearly always valid."""
        return [self.stage() for _ in range(self.rng.choice((1, 1, 2, 3, 4)))]

    def stage(self) -> dict[str, Any]:
        """One stage."""
        name = self.rng.choice(sorted(STAGES))
        return {name: STAGES[name](self)}

    def expression(self, depth: int = 2) -> Any:
        """An expression with a value of any kind."""
        kind = self.rng.random()
        if not depth or kind < 0.4:
            return self.rng.choice(PATHS)
        if kind < 0.5:
            return {"$literal": self.scalar()}
        return EXPRESSIONS[self.rng.choice(sorted(EXPRESSIONS))](self, depth - 1)

    def scalar(self) -> Any:
        """A value that is neither document nor array."""
        return self.rng.choice((None, True, False, *self._numbers, *TEXTS, *self._others))

    def number(self, depth: int) -> Any:
        """An expression whose value is a number, null or missing."""
        if not depth or self.rng.random() < 0.7:
            return self.rng.choice((*NUMERIC, *NUMERIC, self.rng.choice(self._numbers)))
        return EXPRESSIONS[self.rng.choice(("$add", "$multiply", "$subtract", "$abs"))](self, depth - 1)

    def text(self) -> Any:
        """An expression whose value is a string, null or missing."""
        return self.rng.choice((*TEXTUAL, *TEXTUAL, self.rng.choice(TEXTS)))

    def array(self, depth: int) -> Any:
        """An expression whose value is an array, even for documents that lack it."""
        return {"$ifNull": [self.rng.choice(("$l", "$d.l")), [self.expression(min(depth, 1))]]}

    def field_name(self) -> str:
        """A path to write to."""
        return self.rng.choice((*FIELDS, *FIELDS, "x", "y", "d.n", "d.x", "x.y", "l.x"))

    def _document(self) -> dict[str, Any]:
        fields = {
            "n": self.rng.choice(self._numbers),
            "m": self.rng.choice(self._numbers),
            "s": self.rng.choice(TEXTS),
            "l": [self._value(1) for _ in range(self.rng.randint(0, 3))],
            "d": {"n": self.rng.choice(self._numbers), "s": self.rng.choice(TEXTS), "l": [self.scalar()]},
            "a": self._value(2),
        }
        for name in list(fields):
            chance = self.rng.random()
            if chance < 0.15:
                del fields[name]
            elif chance < 0.2:
                fields[name] = None
        return fields

    def _value(self, depth: int) -> Any:
        kind = self.rng.random() if depth else 1
        if kind < 0.2:
            return [self._value(depth - 1) for _ in range(self.rng.randint(0, 3))]
        if kind < 0.4:
            names = self.rng.sample(("a", "b", "x"), self.rng.randint(0, 2))
            return {name: self._value(depth - 1) for name in names}
        return self.scalar()


def _of(name: str, *makers: Callable[[Dice, int], Any]) -> Callable[[Dice, int], Any]:
    return lambda dice, depth: {name: [make(dice, depth) for make in makers]}


def _pair(name: str) -> Callable[[Dice, int], Any]:
    return _of(name, Dice.expression, Dice.expression)


EXPRESSIONS: Final[dict[str, Callable[[Dice, int], Any]]] = {
    "$add": _of("$add", Dice.number, Dice.number),
    "$subtract": _of("$subtract", Dice.number, Dice.number),
    "$multiply": _of("$multiply", Dice.number, Dice.number),
    "$divide": lambda dice, depth: {"$divide": [dice.number(depth), dice.rng.choice((1, 2, 0.5, 4))]},
    "$mod": lambda dice, depth: {"$mod": [dice.number(depth), dice.rng.choice((2, 3, 2.5))]},
    "$abs": lambda dice, depth: {"$abs": dice.number(depth)},
    "$floor": lambda dice, depth: {"$floor": dice.number(depth)},
    "$ceil": lambda dice, depth: {"$ceil": dice.number(depth)},
    **{name: _pair(name) for name in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$cmp", "$and", "$or", "$ifNull")},
    "$not": lambda dice, depth: {"$not": [dice.expression(depth)]},
    "$cond": _of("$cond", Dice.expression, Dice.expression, Dice.expression),
    "$switch": lambda dice, depth: {
        "$switch": {
            "branches": [{"case": dice.expression(depth), "then": dice.expression(depth)}],
            "default": dice.expression(depth),
        }
    },
    "$concat": lambda dice, _depth: {"$concat": [dice.text(), dice.text()]},
    "$toUpper": lambda dice, _depth: {"$toUpper": dice.text()},
    "$toLower": lambda dice, _depth: {"$toLower": dice.text()},
    "$size": lambda dice, depth: {"$size": dice.array(depth)},
    "$arrayElemAt": lambda dice, depth: {"$arrayElemAt": [dice.array(depth), dice.rng.randint(-2, 2)]},
    "$in": _of("$in", Dice.expression, Dice.array),
    "$concatArrays": _of("$concatArrays", Dice.array, Dice.array),
    "$slice": lambda dice, depth: {"$slice": [dice.array(depth), dice.rng.choice((1, 2, -1))]},
    "$filter": lambda dice, depth: {"$filter": {"input": dice.array(depth), "as": "e", "cond": {"$gt": ["$$e", 1]}}},
    "$map": lambda dice, depth: {"$map": {"input": dice.array(depth), "as": "e", "in": ["$$e", dice.expression(0)]}},
    "$reduce": lambda dice, depth: {
        "$reduce": {"input": dice.array(depth), "initialValue": [], "in": {"$concatArrays": [["$$this"], "$$value"]}}
    },
    "$mergeObjects": lambda dice, depth: {"$mergeObjects": ["$d", {"x": dice.expression(depth)}]},
    "$max": _pair("$max"),
    "$sum": lambda dice, _depth: {"$sum": dice.rng.choice(("$l", "$d.l", ["$n", "$m"]))},
    "$type": lambda dice, depth: {"$type": [dice.expression(depth)]},
    "$document": lambda dice, depth: {"x": dice.expression(depth), "y": dice.expression(depth)},
    "$list": lambda dice, depth: [dice.expression(depth), dice.expression(depth)],
}
"""By the operator's name; `$document` and `$list` are those without one."""


def _match(dice: Dice) -> dict[str, Any]:
    if dice.rng.random() < 0.2:
        return {"$expr": dice.expression()}
    name = dice.rng.choice((*FIELDS, "d.n", "d.s"))
    operator = dice.rng.choice(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists"))
    return {name: {operator: dice.rng.random() < 0.5 if operator == "$exists" else dice.rng.choice((*NUMBERS, *TEXTS))}}


def _project(dice: Dice) -> dict[str, Any]:
    spec: dict[str, Any] = {"_id": 0} if dice.rng.random() < 0.2 else {}
    names = {dice.field_name().partition("." if dice.rng.random() < 0.8 else "#")[0] for _ in range(3)}
    names -= {name.partition(".")[0] for name in names if "." in name}
    if dice.rng.random() < 0.3:
        return spec | dict.fromkeys(sorted(names), 0)
    for name in sorted(names):
        spec[name] = 1 if dice.rng.random() < 0.5 else dice.expression()
    return spec


def _group(dice: Dice) -> dict[str, Any]:
    spec: dict[str, Any] = {"_id": dice.rng.choice((None, dice.rng.choice(PATHS), dice.expression()))}
    for name in dice.rng.sample((*FIELDS, "x"), dice.rng.randint(0, 3)):
        accumulator = dice.rng.choice(ACCUMULATORS)
        operand = {} if accumulator == "$count" else dice.rng.choice((1, *NUMERIC, dice.expression()))
        spec[name] = {accumulator: operand}
    return spec


def _unwind(dice: Dice) -> Any:
    path = dice.rng.choice(("$l", "$d.l", "$a", "$n"))
    if dice.rng.random() < 0.5:
        return path
    spec: dict[str, Any] = {"path": path, "preserveNullAndEmptyArrays": dice.rng.random() < 0.5}
    return spec | ({"includeArrayIndex": "x"} if dice.rng.random() < 0.5 else {})


def _sort(dice: Dice) -> dict[str, int]:
    return {name: dice.rng.choice((1, -1)) for name in dice.rng.sample((*FIELDS, "_id"), dice.rng.randint(1, 2))}


STAGES: Final[dict[str, Callable[[Dice], Any]]] = {
    "$match": _match,
    "$project": _project,
    "$addFields": lambda dice: {name: dice.expression() for name in dice.rng.sample((*FIELDS, "x"), 2)},
    "$set": lambda dice: {dice.field_name(): dice.expression()},
    "$unset": Dice.field_name,
    "$replaceRoot": lambda dice: {"newRoot": {"_id": "$_id", "n": "$n", "a": dice.expression()}},
    "$sort": _sort,
    "$limit": lambda dice: dice.rng.randint(1, 8),
    "$skip": lambda dice: dice.rng.randint(0, 3),
    "$count": lambda _dice: "n",
    "$group": _group,
    "$sortByCount": lambda dice: dice.rng.choice(PATHS),
    "$unwind": _unwind,
}
