"""Random values and documents of the sort that finds faults: few names, every type, often nearly equal."""

from __future__ import annotations

from typing import Any, Final

from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import strategies as st

INT32: Final = st.integers(-(2**31), 2**31 - 1)
INT64: Final = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.builds(
        lambda power, sign, offset: min(max(sign * 2**power + offset, -(2**63)), 2**63 - 1),
        st.integers(0, 63),
        st.sampled_from([-1, 1]),
        st.integers(-2, 2),
    ),
).map(Int64)
DOUBLES: Final = st.floats()


def _decimal(digits: int, exponent: int) -> Decimal128:
    return Decimal128(f"{digits}E{exponent}")


DECIMALS: Final = st.one_of(
    st.builds(_decimal, st.integers(1 - 10**34, 10**34 - 1), st.integers(-6176, 6111)),
    st.builds(_decimal, st.integers(-(10**20), 10**20), st.integers(-20, 3)),
    st.sampled_from(["NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "0.1", "1.00", "9007199254740993"]).map(
        Decimal128
    ),
    INT64.map(lambda number: Decimal128(str(int(number)))),
)
NUMBERS: Final = st.one_of(st.integers(-3, 3), INT32, INT64, st.sampled_from([-1.0, 0.0, -0.0, 1.0]), DOUBLES, DECIMALS)
TEXT: Final = st.text(st.sampled_from("\0\x01aAbé\xff\uffff\U0001f600"), max_size=4)
SCALARS: Final = st.one_of(
    NUMBERS,
    TEXT,
    st.none(),
    st.booleans(),
    st.binary(max_size=3),
    st.builds(Binary, st.binary(max_size=3), st.sampled_from([1, 4, 5, 128])),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.integers(-(2**63), 2**63 - 1).map(DatetimeMS),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.builds(Regex, TEXT.map(lambda text: text.replace("\0", "")), st.sampled_from(["", "i", "ms", "x"])),
    st.sampled_from([MinKey(), MaxKey()]),
)
"""Without `Code`, a subclass of `str` that Hypothesis takes for one while it shrinks, and fails."""

NAMES: Final = st.sampled_from(["", "a", "b", "ab", "$ref", "$id", "_id"])


def _grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)


VALUES: Final = st.recursive(SCALARS, _grow, max_leaves=6)
DOCUMENTS: Final = st.dictionaries(NAMES, VALUES, max_size=4)
