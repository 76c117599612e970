"""Loops of expressions ask now and then whether they may go on.

A document may have a million elements, and a loop over them another one inside: such an expression would outlive every
deadline, as nobody sees it between two documents. Whoever runs expressions says what to ask, for the time it does.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _nobody() -> None:
    """Where nobody watches, loops go on to their end."""


_LOOK: ContextVar[Callable[[], None]] = ContextVar("look", default=_nobody)


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """While this lasts, loops call `look` every `limits.LOOP_STEPS_PER_LOOK` steps; it raises to end them.

    It holds for what runs in the same context, that is on the same thread or in the same task.
    """
    token = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(token)


def steps(array: list[Any]) -> Iterator[Any]:
    """The elements of an array, for a loop that is watched."""
    look = _LOOK.get()
    for start in range(0, len(array), limits.LOOP_STEPS_PER_LOOK):
        look()
        yield from array[start : start + limits.LOOP_STEPS_PER_LOOK]
