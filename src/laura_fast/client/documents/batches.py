"""Documents cut into requests: each small enough to be answered soon, large enough that the round trip is no matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from laura_fast.limits.client import INSERT_BATCH_BYTES, INSERT_BATCH_DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")


def batches(
    items: Iterable[Item],
    size: Callable[[Item], int],
    most: int = INSERT_BATCH_DOCUMENTS,
    most_bytes: int = INSERT_BATCH_BYTES,
) -> Iterator[list[Item]]:
    """Consecutive items in lists of up to `most` and `most_bytes`; an item above the latter goes alone."""
    batch: list[Item] = []
    held = 0
    for item in items:
        length = size(item)
        if batch and (len(batch) >= most or held + length > most_bytes):
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += length
    if batch:
        yield batch
