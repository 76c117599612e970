"""Whatever a client sends for an update, a projection or a sort is answered or refused, and harms no document."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

import bson
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
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.projections import compile_projection
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.domain.documents.updates import compile_update, upsert_document
from laura_fast.errors import RpcError
from tests.properties import update_cases
from tests.properties.update_cases import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS: Final = st.integers(0, 2**32 - 1)
TRIES_PER_SEED: Final = 50
ODD: Final[tuple[Any, ...]] = (
    *(None, True, "", "\0", "a.b", "$", "$a", b"", 0, -1, 2**31 - 1, Int64(2**63 - 1), Int64(-(2**63))),
    *(float("nan"), float("inf"), -0.0, 1e308, Decimal128("NaN"), Decimal128("9E+6144"), Decimal128("-0")),
    *(Binary(b"x", 4), ObjectId("507f1f77bcf86cd799439011"), DatetimeMS(-(2**63)), Timestamp(2**32 - 1, 0)),
    *(Regex("("), Regex("a", "i"), Code("f", {}), MinKey(), MaxKey(), [], {}, [[]], {"$each": [1]}, {"": {"": 1}}),
    *({"$type": "date"}, {"$gt": 1}, {"$each": 1}, {"$slice": -1}, {"$elemMatch": {"$foo": 1}}, {"a": {"$in": 1}}),
)
NAMES: Final = (
    *("", ".", "a.", ".a", "a..b", "$", "a.$", "a.$[]", "a.$[x]", "$set", "$inc", "$each", "$slice", "$sort", "$bit"),
    *("$push", "$pull", "$rename", "$unset", "$elemMatch", "$foo", "a.0", "a.1500001", "a.99999999999999999999"),
    *("0", "a.-1", "a.b.c.d", "a" + ".a" * 120, "_id", "_id.a", "é", "a.²", "and", "xor"),
)


def spoilt(rng: Random, value: Any) -> Any:
    """The value with something odd somewhere in it."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(ODD)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return [*value[:at], spoilt(rng, value[at]), *value[at + 1 :]]
    name = rng.choice(list(value))
    if rng.random() < 0.3:
        return {rng.choice(NAMES) if key == name else key: inner for key, inner in value.items()}
    return {**value, name: spoilt(rng, value[name])}


def harmless(rng: Random, act: Callable[[Any, dict[str, Any]], object], document: dict[str, Any]) -> None:
    """Acts on spoilt input: nothing comes of it but our own errors, and the document stays as it was."""
    before = bson.encode({"": document})
    asked = update_cases.case(rng).update
    for _ in range(rng.randrange(1, 4)):
        asked = spoilt(rng, asked)
    with suppress(RpcError):
        act(asked, document)
    assert bson.encode({"": document}) == before


def _update(asked: Any, document: dict[str, Any]) -> None:
    compile_update(asked).apply(document, 0, NOW)


def _upsert(asked: Any, document: dict[str, Any]) -> None:
    upsert_document(compile_filter(document), compile_update(asked), 7, 0, NOW)


def _project(asked: Any, document: dict[str, Any]) -> None:
    """Of an update, the operands make the better projections."""
    for projection in (asked, *(asked.values() if isinstance(asked, dict) else ())):
        if isinstance(projection, dict):
            compile_projection(projection).apply(document)


def _sort(asked: Any, document: dict[str, Any]) -> None:
    asked = asked if isinstance(asked, dict) else {"a": asked}
    paths = [path for operand in asked.values() if isinstance(operand, dict) for path in operand]
    with suppress(RpcError):
        compile_sort(asked)
    compile_sort(dict.fromkeys(paths, 1)).key(document)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_updates(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(TRIES_PER_SEED):
        document = {"_id": 1, "a": spoilt(rng, update_cases.document(rng)), "b": spoilt(rng, [1, [2], {"a": 3}])}
        harmless(rng, _update, document)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_upserts_projections_and_sorts(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(TRIES_PER_SEED):
        for act in (_upsert, _project, _sort):
            harmless(rng, act, update_cases.document(rng))
