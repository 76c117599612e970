"""Input of clients with something odd in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

ODD: Final[tuple[Any, ...]] = (
    *(None, True, "", "\0", "a.b", "$", "$a", b"", 0, -1, 2**31 - 1, Int64(2**63 - 1), Int64(-(2**63))),
    *(
        float("nan"),
        float("inf"),
        -0.0,
        1e308,
        Decimal128("NaN"),
        Decimal128("sNaN"),
        Decimal128("9E+6144"),
        Decimal128("-0"),
    ),
    *(Binary(b"x", 4), ObjectId("507f1f77bcf86cd799439011"), DatetimeMS(-(2**63)), Timestamp(2**32 - 1, 0)),
    *(Regex("("), Regex("a", "i"), Code("f", {}), MinKey(), MaxKey(), [], {}, [[]], {"$each": [1]}, {"": {"": 1}}),
    *({"$type": "date"}, {"$gt": 1}, {"$each": 1}, {"$slice": -1}, {"$elemMatch": {"$foo": 1}}, {"a": {"$in": 1}}),
)


def spoilt(rng: Random, value: Any, names: Sequence[str]) -> Any:
    """The value with something odd somewhere in it: another value, or one of the names for a field."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(ODD)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return [*value[:at], spoilt(rng, value[at], names), *value[at + 1 :]]
    name = rng.choice(list(value))
    if rng.random() < 0.3:
        return {rng.choice(names) if key == name else key: inner for key, inner in value.items()}
    return {**value, name: spoilt(rng, value[name], names)}
