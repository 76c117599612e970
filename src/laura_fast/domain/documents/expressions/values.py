"""What expressions say about values: missing ones, truth, the order across all types."""

from __future__ import annotations

from typing import Any

from bson import Decimal128, MinKey

from laura_fast.domain.documents import order
from laura_fast.domain.documents.kinds import MISSING, NUMBERS
from laura_fast.errors import InvalidArgumentError


def malformed(message: str) -> InvalidArgumentError:
    """An expression that means nothing, whatever the document."""
    return InvalidArgumentError(message, "BAD_EXPRESSION")


def failed(message: str) -> InvalidArgumentError:
    """An expression that this document has no value for."""
    return InvalidArgumentError(message, "EXPRESSION_FAILED")


def is_nullish(value: Any) -> bool:
    """Null or missing: what most operators answer with null."""
    return value is None or value is MISSING


def is_true(value: Any) -> bool:
    """Truth in expressions: false, null, missing and zero are not; everything else is, "" and [] included."""
    if value is True or value is False:
        return value is True
    if value is None or value is MISSING:
        return False
    kind = type(value)
    if kind is Decimal128:
        return not value.to_decimal().is_zero()
    return bool(value != 0) if kind in NUMBERS else True


def compare(left: Any, right: Any) -> int:
    """Below, at or above zero by the total order, in which a missing value comes behind MinKey and before null."""
    if left is MISSING or right is MISSING:
        return _missing_rank(left) - _missing_rank(right)
    return order.compare(left, right)


def _missing_rank(value: Any) -> int:
    if value is MISSING:
        return 0
    return -1 if type(value) is MinKey else 1
