"""Whatever a client sends for an update, a projection or a sort is answered or refused, and harms no document."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

import bson
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.projections import compile_projection
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.domain.documents.updates import compile_update, upsert_document
from laura_fast.errors import RpcError
from tests.properties import update_cases
from tests.properties.odd_input import spoilt
from tests.properties.update_rivals import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS: Final = st.integers(0, 2**32 - 1)
TRIES_PER_SEED: Final = 50
NAMES: Final = (
    *("", ".", "a.", ".a", "a..b", "$", "a.$", "a.$[]", "a.$[x]", "$set", "$inc", "$each", "$slice", "$sort", "$bit"),
    *("$push", "$pull", "$rename", "$unset", "$elemMatch", "$foo", "a.0", "a.1500001", "a.99999999999999999999"),
    *("0", "a.-1", "a.b.c.d", "a" + ".a" * 120, "_id", "_id.a", "é", "a.²", "and", "xor"),
)


def harmless(rng: Random, act: Callable[[Any, dict[str, Any]], object], document: dict[str, Any]) -> None:
    """Acts on spoilt input: nothing comes of it but our own errors, and the document stays as it was."""
    before = bson.encode({"": document})
    asked = update_cases.case(rng).update
    for _ in range(rng.randrange(1, 4)):
        asked = spoilt(rng, asked, NAMES)
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
        document = {
            "_id": 1,
            "a": spoilt(rng, update_cases.document(rng), NAMES),
            "b": spoilt(rng, [1, [2], {"a": 3}], NAMES),
        }
        harmless(rng, _update, document)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_upserts_projections_and_sorts(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(TRIES_PER_SEED):
        for act in (_upsert, _project, _sort):
            harmless(rng, act, update_cases.document(rng))
