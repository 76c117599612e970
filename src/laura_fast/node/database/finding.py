"""The documents that a write is about, found on the reader thread so that other writes need not wait for a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from laura_fast.node.database.access import START, Place
from laura_fast.node.database.pacing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.access import Access
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore

    Find = Callable[[bytes], Document | None]


class Looked(NamedTuple):
    """What a short search found.

    Attributes:
        found: Documents by their record keys.
        complete: Whether it has seen everything, or enough.
    """

    found: dict[bytes, Document]
    complete: bool


def look(state: Snapshot, access: Access, find: Find, *, most: int, wanted: int) -> Looked:
    """Searches `most` candidates for `wanted` documents that match (0 = all)."""
    found: dict[bytes, Document] = {}
    for number, candidate in enumerate(access.candidates(state)):
        if number >= most:
            return Looked(found, complete=False)
        document = find(candidate.data)
        if document is not None:
            found[candidate.id_key] = document
            if len(found) == wanted:
                break
    return Looked(found, complete=True)


class Finder:
    """Searches of any length, all in the same order."""

    def __init__(self, store: DocumentStore, choose: Callable[[Snapshot], Access], find: Find) -> None:
        self._store = store
        self._choose = choose
        self._find = find
        self._access: Access | None = None

    def next(self, place: Place, budget: Budget) -> Generator[None, None, Place | None]:
        """The first match behind a place; of several indexes, which have no common order, the first of all."""
        pace = Pace()
        with self._store.reading() as state:
            access = self._chosen(state)
            for candidate in access.candidates(state, START if access.several else place):
                budget.examine()
                if pace.over(len(candidate.data)):
                    yield
                if self._find(candidate.data) is not None:
                    return Place(candidate.key, candidate.id_key)
        return None

    def all(self, check: Callable[[Document], object], budget: Budget) -> Generator[None, None, list[bytes]]:
        """The record keys of all matches, in order; `check` looks at each match and raises if it can't be changed.

        Raises:
            OverloadedError: MEMORY_BUDGET: too many to be remembered.
        """
        found: set[bytes] = set()
        pace = Pace()
        with self._store.reading() as state:
            for candidate in self._chosen(state).candidates(state):
                budget.examine()
                if pace.over(len(candidate.data)):
                    yield
                document = self._find(candidate.data)
                if document is not None and candidate.id_key not in found:
                    check(document)
                    budget.hold(len(candidate.id_key))
                    found.add(candidate.id_key)
        return sorted(found)

    def _chosen(self, state: Snapshot) -> Access:
        if self._access is None:
            self._access = self._choose(state)
        return self._access
