"""How a filter that can't be run is refused."""

from __future__ import annotations

from typing import Final

from laura_fast.errors import InvalidArgumentError

FILTER_INVALID: Final = "FILTER_INVALID"


def fault(operator: str, what: str) -> InvalidArgumentError:
    """The error to raise: `operator` is what the client wrote, `what` goes on after it."""
    return InvalidArgumentError(f"{operator} {what}", FILTER_INVALID, metadata={"operator": operator})
