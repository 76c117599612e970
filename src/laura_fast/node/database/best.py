"""The first few of many in sort order, in memory that does not grow with the many."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from laura_fast.domain.documents.budget import Budget


class Ranked(NamedTuple):
    """A document with its place: sort key, then `_id`, which decides between equals."""

    key: bytes
    id_key: bytes
    data: bytes


_PLACE: Final = itemgetter(0, 1)
_SLACK: Final = 2
"""Times the wanted number that are gathered before the rest is thrown away: sorting then costs each document little."""

_LEAST: Final = 256


class Best:
    """Keeps the first `count` of what is added."""

    def __init__(self, count: int, budget: Budget) -> None:
        """Empty.

        Args:
            count: How many are wanted.
            budget: Counts the bytes that are held.
        """
        self._count = count
        self._budget = budget
        self._held: list[Ranked] = []
        self._room = max(_SLACK * count, _LEAST)
        self._worst: tuple[bytes, bytes] | None = None

    def add(self, ranked: Ranked) -> None:
        """Keeps it, if it may be among the first.

        Raises:
            OverloadedError: MEMORY_BUDGET.
        """
        if self._worst is not None and ranked[:2] >= self._worst:
            return
        self._budget.hold(len(ranked.data) + len(ranked.key))
        self._held.append(ranked)
        if len(self._held) >= self._room:
            self._cut()

    def _cut(self) -> None:
        self._held.sort(key=_PLACE)
        for dropped in self._held[self._count :]:
            self._budget.release(len(dropped.data) + len(dropped.key))
        del self._held[self._count :]
        self._worst = self._held[-1][:2]

    def first(self) -> list[Ranked]:
        """What was kept, in order."""
        self._held.sort(key=_PLACE)
        return self._held[: self._count]
