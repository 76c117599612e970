"""Evaluates expressions in tests, and tells apart values that Python calls equal: 1, 1.0, True and int64 1."""

from __future__ import annotations

from typing import Any

import bson

from laura_fast.domain.documents.expressions import MISSING, compile_expression


def evaluate(spec: Any, document: dict[str, Any] | None = None) -> Any:
    """The value of an expression for a document."""
    return compile_expression(spec)(document or {})


def written(value: Any) -> bytes | str:
    """The value as BSON, which has its type and the order of its fields."""
    return "missing" if value is MISSING else bson.encode({"value": value})


def same(found: Any, expected: Any) -> bool:
    """Whether both are one value of one type."""
    return written(found) == written(expected)
