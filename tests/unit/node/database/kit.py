"""Documents in memory that survive a crash of everything above them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.codec import decode
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from laura_fast.storage.documents.catalog import CompiledIndex

Value = TypeVar("Value")
PLACE = "shop.orders"


class CrashError(Exception):
    """The process is gone; what it committed is not."""


class MortalStore(DocumentStore):
    """Crashes when told.

    Attributes:
        writes_left: Commits until the crash, which comes before the answer of the last one. None: no crash.
    """

    def __init__(self) -> None:
        super().__init__(
            MemoryStore(), lambda definition: cast("CompiledIndex", compile_index(parse_definition(definition)))
        )
        self.writes_left: int | None = None

    async def write(self, job: Callable[..., Value], **options: Any) -> Value:
        value = await super().write(job, **options)
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left <= 0:
                raise CrashError
        return value

    def all(self, namespace: str = PLACE) -> list[dict[str, Any]]:
        """Every document."""
        with self.reading() as state:
            return [decode(data) for _, data in state.documents(namespace)]


def budget() -> Budget:
    """One that nothing uses up."""
    return Budget(1 << 62, math.inf, 1 << 30, lambda: 0.0)


def finished(slices: Generator[None, None, Value]) -> Value:
    """The value of a read, run to its end."""
    try:
        while True:
            next(slices)
    except StopIteration as end:
        value: Value = end.value
        return value
