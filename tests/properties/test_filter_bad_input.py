"""Whatever a client sends for a query is answered or refused, and harms no document."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.filters import Filter, compile_filter
from laura_fast.errors import InvalidArgumentError, RpcError
from tests.properties import document_dice as dice
from tests.properties.odd_input import spoilt

TRIES_PER_SEED: Final = 100
REASONS: Final = frozenset({"FILTER_INVALID", "PATH_INVALID", "BAD_EXPRESSION", "EXPRESSION_FAILED"})
NAMES: Final = (
    *(
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "$",
        "a.$",
        "$set",
        "$eq",
        "$in",
        "$not",
        "$and",
        "$nor",
        "$expr",
        "$comment",
        "$foo",
    ),
    *("$regex", "$options", "$size", "$all", "$elemMatch", "$mod", "$type", "$exists", "$where", "$ref", "$id", "$gt"),
    *("a.0", "a.99999999999999999999", "0", "a.-1", "a.b.c.d", "a" + ".a" * 120, "_id", "é", "a.²"),
)


def tried(query: Any) -> Filter | None:
    """The filter; None where the query is refused as one should be. Other errors come through."""
    try:
        return compile_filter(query)
    except InvalidArgumentError as refusal:
        if not refusal.message or refusal.reason not in REASONS:
            raise
        return None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_spoilt_queries(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(TRIES_PER_SEED):
        query: Any = dice.query(rng, depth=3)
        for _ in range(rng.randrange(1, 5)):
            query = spoilt(rng, query, NAMES)
        compiled = tried(query)
        document = spoilt(rng, dice.document(rng), NAMES)
        if compiled is None or not isinstance(document, dict):
            continue
        before = codec.encode({"": document})
        with suppress(RpcError):  # of $expr
            assert compiled.matches(document) in {True, False}
        assert codec.encode({"": document}) == before
