"""Applies updates in tests, with a clock that stands still."""

from __future__ import annotations

import copy
from typing import Any

import bson
import pytest
from bson.timestamp import Timestamp

from laura_fast.domain.documents.updates import Applied, apply_delta, compile_update
from laura_fast.errors import InvalidArgumentError

NOW_MS = 1_700_000_000_123
NOW = Timestamp(1_700_000_000, 7)


def encoded(document: dict[str, Any]) -> bytes:
    """The bytes with `_id` left where it is, which pymongo would put first."""
    return bson.encode({"": document})[6:-1]


def applied(document: dict[str, Any], update: dict[str, Any]) -> Applied:
    """The update applied; holds every application of every test to what must be true of all of them."""
    before = encoded(copy.deepcopy(document))
    result = compile_update(update).apply(document, NOW_MS, NOW)
    assert encoded(document) == before, "the input was changed"
    assert result.changed is (encoded(result.document) != before)
    assert result.encoded == (encoded(result.document) if result.changed else b"")
    if result.delta is not None:
        again = apply_delta(document, result.delta)
        assert encoded(again) == result.encoded
        assert encoded(apply_delta(again, result.delta)) == result.encoded
        assert encoded(document) == before, "the replay changed its input"
    return result


def after(document: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """The document after an update, which has the `_id` 1."""
    return applied({"_id": 1, **document}, update).document


def fields_after(document: dict[str, Any], update: dict[str, Any]) -> list[Any]:
    """The fields behind `_id`, in their order, with the type of each value."""
    return [(name, type(value), value) for name, value in after(document, update).items() if name != "_id"]


def refuses(document: dict[str, Any], update: dict[str, Any], *words: str, reason: str = "UPDATE_REFUSED") -> None:
    """The update compiles, can't be applied to the document, and says why."""
    compiled = compile_update(update)
    before = encoded(document)
    with pytest.raises(InvalidArgumentError) as caught:
        compiled.apply({"_id": 1, **document}, NOW_MS, NOW)
    assert encoded(document) == before
    assert (caught.value.reason, [word for word in words if word not in caught.value.message]) == (reason, [])


def is_invalid(update: Any, *words: str, reason: str = "UPDATE_INVALID") -> None:
    """The update is refused before there is a document."""
    with pytest.raises(InvalidArgumentError) as caught:
        compile_update(update)
    assert (caught.value.reason, [word for word in words if word not in caught.value.message]) == (reason, [])
