"""What cluster state needs of a store: an ordered read at start-up and an atomic, durable compare-and-swap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NOTHING: Mapping[bytes, bytes] = {}


class MetadataStore(Protocol):
    """Keys and values are bytes; keys are at most 511 bytes and ordered bytewise."""

    def read(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Every pair whose key begins with `prefix`, sorted by key. For start-up: it may wait for the disk."""

    async def commit(
        self,
        *,
        expect: Mapping[bytes, bytes | None] = NOTHING,
        put: Mapping[bytes, bytes] = NOTHING,
        delete: Collection[bytes] = (),
    ) -> None:
        """Applies all or nothing; durable when it returns. Concurrent commits share one fsync.

        Args:
            expect: Key → value it must have now; None = must be absent.
            put: Values to set.
            delete: Keys to remove; absent ones are ignored.

        Raises:
            CompareFailedError: An expectation did not hold.
            OverloadedError: The disk is full.
            StorageFailedError: The disk failed.
        """
