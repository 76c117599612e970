"""Random updates of random documents, answered by this project and by two others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from bson.int64 import Int64

from tests.properties.update_differences import COMPARISON
from tests.properties.update_rivals import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NAMES: Final = ("a", "b", "c", "d")
PARTS: Final = ("a", "b", "c", "0", "1", "2")


def compare_many(rng: Random, cases: int) -> Counter[tuple[str, str]]:
    """Compares so many cases with each of the others.

    Returns:
        How many ended how: (implementation, "same", the name of a known difference, or "failed").

    Raises:
        AssertionError: An unknown difference; the message holds the case.
    """
    return sum((COMPARISON.compare(case(rng)) for _ in range(cases)), Counter())


def value(rng: Random, depth: int = 2) -> Any:
    """Values that are often equal, nearly equal, or of neighbouring types."""
    kind = rng.randrange(9 if depth else 6)
    if kind == 0:
        return rng.choice([0.5, 1.0, 2.0, -3.25])
    if kind == 1:
        return rng.choice(["x", "y", "", "xy"])
    if kind == 2:
        return rng.choice([None, True, False, Int64(1), Int64(2**40)])
    if kind == 6:
        return {rng.choice(NAMES[:3]): value(rng, depth - 1) for _ in range(rng.randrange(3))}
    if kind > 6:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return rng.choice([0, 1, 2, -1, 5, 2**31 - 1])


def document(rng: Random) -> dict[str, Any]:
    return {"_id": 1, **{name: value(rng, 3) for name in rng.sample(NAMES, rng.randrange(5))}}


def case(rng: Random) -> Case:
    """A document and an update of one to three clauses, most of which fit what is there."""
    before = document(rng)
    update: dict[str, Any] = {}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path, there = _path(rng, before)
        fitting = _FITTING.get(type(there), _FOR_ANY) if rng.random() < 0.9 else sorted(_OPERANDS)
        operator = rng.choice(fitting)
        update.setdefault(operator, {})[path] = _OPERANDS[operator](rng)
    return Case(before, update)


def _path(rng: Random, before: dict[str, Any]) -> tuple[str, Any]:
    """Down into the document, and now and then beyond it; with what is there."""
    parts = [rng.choice([*before, *NAMES][1:])]
    place = before.get(parts[0])
    while isinstance(place, dict | list) and place and rng.random() < 0.6:
        keys = [str(at) for at in range(len(place))] if isinstance(place, list) else list(place)
        parts.append(rng.choice(keys))
        place = place[int(parts[-1])] if isinstance(place, list) else place[parts[-1]]
    if rng.random() < 0.1:
        parts.append(rng.choice(PARTS))
    return ".".join(parts), place


def _number(rng: Random) -> Any:
    return rng.choice([1, 2, -1, 0, 0.5, Int64(2), 2**31 - 1])


def _push(rng: Random) -> Any:
    if rng.random() < 0.4:
        return value(rng)
    operand: dict[str, Any] = {"$each": [value(rng, 1) for _ in range(rng.randrange(4))]}
    if rng.random() < 0.4:
        operand["$position"] = rng.randrange(-2, 4)
    if rng.random() < 0.4:
        operand["$slice"] = rng.randrange(-3, 4)
    if rng.random() < 0.3:
        operand["$sort"] = rng.choice([1, -1, {"a": 1}, {"a": -1, "b": 1}])
    return operand


def _pull(rng: Random) -> Any:
    conditions = [{"$gte": 1}, {"$in": [1, "x"]}, {"a": 1}, {"a": {"$gt": 0}}, {"$ne": 1}]
    return rng.choice([value(rng, 1), rng.choice(conditions)])


_OPERANDS: Final[dict[str, Callable[[Random], Any]]] = {
    "$set": value,
    "$unset": lambda _rng: "",
    "$inc": _number,
    "$mul": _number,
    "$min": value,
    "$max": value,
    "$push": _push,
    "$addToSet": lambda rng: value(rng) if rng.random() < 0.6 else {"$each": [value(rng, 1) for _ in range(3)]},
    "$pop": lambda rng: rng.choice([1, -1]),
    "$pull": _pull,
    "$pullAll": lambda rng: [value(rng, 1) for _ in range(rng.randrange(3))],
    "$rename": lambda rng: rng.choice([*NAMES[:2], "a.b", "e", "e", "e.f", "e.g"]),
    "$bit": lambda rng: {rng.choice(["and", "or", "xor"]): rng.randrange(8)},
}
_FOR_ANY: Final = ["$set", "$unset", "$min", "$max", "$rename"]
_FOR_NUMBERS: Final = [*_FOR_ANY, "$inc", "$mul", "$bit"]
_FITTING: Final = {
    int: _FOR_NUMBERS,
    Int64: _FOR_NUMBERS,
    float: [*_FOR_ANY, "$inc", "$mul"],
    list: [*_FOR_ANY, "$push", "$push", "$addToSet", "$pop", "$pull", "$pullAll"],
    type(None): sorted(_OPERANDS),
}
