"""What is asked of every database under measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    Document = dict[str, Any]


class Memory(NamedTuple):
    """What the processes of a database hold.

    Attributes:
        anonymous_bytes: Their own.
        resident_bytes: With the pages of files, and of caches that they share, each counted once.
    """

    anonymous_bytes: int
    resident_bytes: int


class Session(Protocol):
    """One client. Its calls never overlap."""

    async def insert(self, documents: Sequence[Document]) -> int:
        """Inserts all in one call; returns how many are on disk."""

    async def find(self, identity: int) -> str:
        """The name of the package."""

    async def between(self, low: int, high: int) -> int:
        """How many whole documents with low ≤ size < high arrived."""

    async def rare(self) -> int:
        """How many whole documents arrived of those that a scan finds to be rare."""

    async def increment(self, identity: int) -> int:
        """Adds one to `installed`; returns how many documents that changed."""

    async def delete(self, identity: int) -> int:
        """Returns how many documents that removed."""

    async def purge(self, first: int) -> int:
        """Removes every document from this `_id` on, in one call; returns how many those were."""

    async def totals(self) -> dict[str, tuple[int, int]]:
        """Packages by section, and the sum of their sizes."""

    async def installed(self) -> int:
        """The sum of `installed` over all documents."""


class Database(Protocol):
    """One running subject with an empty collection."""

    def sessions(self, count: int) -> AbstractAsyncContextManager[list[Session]]:
        """So many clients."""

    async def index_sizes(self) -> None:
        """Makes an index on `size`; ready when this returns."""

    def cpu_s(self) -> float:
        """CPU time that all its processes spent so far."""

    def memory(self) -> Memory | None:
        """Of all its processes; None where they are those of the clients."""

    def commits(self) -> int | None:
        """Commits that were synced to disk so far; None where nobody counts them exactly."""


@dataclass(frozen=True)
class Subject:
    """A database that can be started.

    Attributes:
        name: In tables.
        version: Of what is installed; None where it is not.
        start: Runs it for the length of the block, its files in the folder.
        most_clients: With more it is not measured.
    """

    name: str
    version: Callable[[], str | None]
    start: Callable[[Path], AbstractAsyncContextManager[Database]]
    most_clients: int = 1_000
