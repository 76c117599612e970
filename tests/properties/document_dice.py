"""Random documents and queries from a seed: small, over few names and few values, so that queries often match.

Hypothesis's strategies (`documents`) look for a fault and shrink it; these make hundreds of thousands of cases for the
comparison with other implementations, where a seed is enough to make a case again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

NAMES: Final = ("a", "b", "c")
SCALARS: Final[Sequence[Any]] = (
    *(None, True, False, 0, 1, 2, -1, 3, 10),
    *(Int64(0), Int64(1), Int64(2**53 + 1), Int64(2**40), 0.0, 1.0, 1.5, -2.5, 2.0**53, float("nan"), float("inf")),
    *(Decimal128("1"), Decimal128("1.5"), Decimal128("0.1"), Decimal128("NaN")),
    *("", "a", "ab", "b", "A", "a\nb", "é", "1"),
    *(b"", b"a", b"ab"),
    *(ObjectId("507f1f77bcf86cd799439011"), ObjectId("507f1f77bcf86cd799439012")),
    *(DatetimeMS(0), DatetimeMS(1_700_000_000_123), Timestamp(1, 1), Timestamp(1, 2)),
)
COMMON: Final[Sequence[Any]] = (None, True, False, 0, 1, 2, 3, 1.0, 1.5, Int64(1), "a", "ab", "b")
PATTERNS: Final = ("a", "^a", "^ab", "b$", "A", "^a.b", "[ab]+", "x|b", "^", "1", "é", "^a.*")
TYPES: Final = (
    *("double", "string", "object", "array", "bool", "date", "null", "int", "long", "decimal", "number"),
    1,
    2,
    16,
)


def scalar(rng: Random) -> Any:
    """A value that is neither document nor array; three in four are common."""
    return rng.choice(COMMON if rng.random() < 0.75 else SCALARS)


def value(rng: Random, depth: int = 2) -> Any:
    """Any value, nested at most so deep."""
    kind = rng.random() if depth else 1
    if kind < 0.2:
        return [value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return document(rng, depth - 1) if kind < 0.4 else scalar(rng)


def document(rng: Random, depth: int = 2) -> dict[str, Any]:
    """A document without `_id`; now and then a name is a number."""
    names = rng.sample(NAMES, rng.randint(0, 3))
    if rng.random() < 0.05:
        names.append("0")
    return {name: value(rng, depth) for name in names}


def path(rng: Random) -> str:
    """A dotted path; many reach something."""
    parts = [rng.choice(NAMES)]
    while len(parts) < 4 and rng.random() < 0.4:
        parts.append(rng.choice(NAMES) if rng.random() < 0.7 else rng.choice("012"))
    return ".".join(parts)


def query(rng: Random, depth: int = 2) -> dict[str, Any]:
    """A query, nearly always a valid one."""
    found: dict[str, Any] = {}
    for _ in range(rng.choice((1, 1, 1, 2))):
        if depth and rng.random() < 0.15:
            found[rng.choice(("$and", "$or", "$nor"))] = [query(rng, depth - 1) for _ in range(rng.randint(1, 3))]
        else:
            found[path(rng)] = condition(rng, depth)
    return found


def condition(rng: Random, depth: int = 2) -> Any:
    """What a query holds for a path: a value, a pattern, or operators."""
    kind = rng.random()
    if kind < 0.25:
        return value(rng, min(depth, 1))
    if kind < 0.3:
        return Regex(rng.choice(PATTERNS), rng.choice(("", "", "i", "m", "s")))
    return operators(rng, depth)


def operators(rng: Random, depth: int = 2) -> dict[str, Any]:
    """One or two operators with their operands."""
    names = rng.sample(sorted(_OPERANDS), rng.choice((1, 1, 1, 2)))
    return {name: _OPERANDS[name](rng, depth) for name in names}


def query_about(rng: Random, document: dict[str, Any]) -> dict[str, Any]:
    """A query made of what is in a document: half of them match it."""
    found: dict[str, Any] = {}
    for _ in range(rng.choice((1, 1, 2))):
        place, there = _somewhere(rng, document)
        found[place] = _condition_near(rng, there)
    return {"$or": [query(rng, 0), found]} if rng.random() < 0.1 else found


def _somewhere(rng: Random, document: dict[str, Any]) -> tuple[str, Any]:
    """A path down into the document, with what is there."""
    parts: list[str] = []
    there: Any = document
    while isinstance(there, dict | list) and there and (not parts or rng.random() < 0.6):
        if isinstance(there, dict):
            name = rng.choice(list(there))
            parts, there = [*parts, name], there[name]
            continue
        at = rng.randrange(len(there))
        if not isinstance(there[at], dict) or rng.random() < 0.3:
            parts.append(str(at))
        there = there[at]
    return ".".join(parts) or "a", there


def _condition_near(rng: Random, there: Any) -> Any:
    if isinstance(there, list) and there and rng.random() < 0.7:
        if rng.random() < 0.3:
            return {"$elemMatch": _element_match_near(rng, rng.choice(there))}
        if rng.random() < 0.2:
            return {"$size": len(there)}
        there = rng.choice(there)
    kind = rng.random()
    if kind < 0.3:
        return there
    if kind < 0.7:
        return {rng.choice(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")): there}
    if kind < 0.9:
        return {rng.choice(("$in", "$nin", "$all")): rng.sample([there, value(rng, 1)], rng.randint(1, 2))}
    return {"$not": {rng.choice(("$eq", "$gt", "$lte")): there}}


def _element_match_near(rng: Random, element: Any) -> dict[str, Any]:
    if isinstance(element, dict) and element and rng.random() < 0.8:
        name = rng.choice(list(element))
        return {name: _condition_near(rng, element[name])}
    return {rng.choice(("$eq", "$gte", "$lt")): element}


def _values(rng: Random, _depth: int) -> list[Any]:
    return [value(rng, 1) for _ in range(rng.randint(0, 3))]


def _in(rng: Random, depth: int) -> list[Any]:
    return _values(rng, depth) + [Regex(rng.choice(PATTERNS)) for _ in range(rng.random() < 0.1)]


def _all(rng: Random, depth: int) -> list[Any]:
    if depth and rng.random() < 0.2:
        return [{"$elemMatch": _element_match(rng, depth - 1)} for _ in range(rng.randint(1, 2))]
    return _values(rng, depth)


def _element_match(rng: Random, depth: int) -> dict[str, Any]:
    return operators(rng, max(depth - 1, 0)) if rng.random() < 0.5 else query(rng, max(depth - 1, 0))


def _not(rng: Random, depth: int) -> Any:
    return Regex(rng.choice(PATTERNS)) if rng.random() < 0.1 else operators(rng, max(depth - 1, 0))


def _value(rng: Random, _depth: int) -> Any:
    return value(rng, 1)


_OPERANDS: Final[dict[str, Callable[[Random, int], Any]]] = {
    "$eq": _value,
    "$ne": _value,
    "$gt": _value,
    "$gte": _value,
    "$lt": _value,
    "$lte": _value,
    "$in": _in,
    "$nin": _in,
    "$exists": lambda rng, _depth: rng.random() < 0.5,
    "$regex": lambda rng, _depth: rng.choice(PATTERNS),
    "$size": lambda rng, _depth: rng.randint(0, 3),
    "$all": _all,
    "$elemMatch": _element_match,
    "$mod": lambda rng, _depth: [rng.choice((2, 3, -2, Int64(3), 2.0)), rng.randint(-1, 2)],
    "$type": lambda rng, _depth: rng.choice(TYPES),
    "$not": _not,
}
