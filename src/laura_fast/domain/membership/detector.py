"""Failure detection as arithmetic: when is a silent node SUSPECT, when DOWN, and when must it be looked at again.

A node is looked at only when the earliest moment it could expire has come; a beat moves nothing. So a tick costs what
expired, plus each live node once per `suspect_after`, and a beat costs nothing here.

Invariants:
    1. A node is never judged before its full time: it is visited at or after its deadline, never earlier.
    2. A node is judged at most one granule after its deadline.
    3. Time in which the server itself could not listen is nobody's silence (`ListeningTime`).
"""

from __future__ import annotations

from math import ceil
from typing import Generic, NamedTuple, TypeVar

from laura_fast.domain.membership.values import NodeState

T = TypeVar("T")


class Patience(NamedTuple):
    """Seconds of silence before a verdict; `suspect_s` < `down_s`."""

    suspect_s: float
    down_s: float


class Verdict(NamedTuple):
    """What a node's silence means, and after how many seconds of silence in all to look again; None = not by itself."""

    state: NodeState
    look_again_s: float | None


def judge(state: NodeState, silent_s: float, patience: Patience) -> Verdict:
    """The verdict on a node in `state` that has been silent for `silent_s` seconds.

    Silence never makes a node better: only a beat does.
    """
    if state is NodeState.DOWN or silent_s >= patience.down_s:
        return Verdict(NodeState.DOWN, None)
    if state is NodeState.SUSPECT or silent_s >= patience.suspect_s:
        return Verdict(NodeState.SUSPECT, patience.down_s)
    return Verdict(state, patience.suspect_s)


class TimingWheel(Generic[T]):
    """Items filed under the granule of time in which they fall due."""

    def __init__(self, granule_s: float, now: float) -> None:
        self._granule_s = granule_s
        self._slots: dict[int, list[T]] = {}
        self._slot = self.slot_of(now)

    def slot_of(self, due: float) -> int:
        """The first slot that ends at or after `due`."""
        return ceil(due / self._granule_s)

    def file(self, item: T, due: float) -> int:
        """Files an item; answers its slot. What is due already falls due with the next slot."""
        slot = max(self.slot_of(due), self._slot + 1)
        self._slots.setdefault(slot, []).append(item)
        return slot

    def advance(self, now: float) -> list[tuple[int, T]]:
        """Takes out all that is due at `now`, with the slot each was filed under."""
        last = int(now / self._granule_s)
        due = [(slot, item) for slot in range(self._slot + 1, last + 1) for item in self._slots.pop(slot, ())]
        self._slot = max(self._slot, last)
        return due


class ListeningTime:
    """Monotonic time without the stretches in which the server could not hear anybody.

    The detector ticks at a steady period. A tick that comes more than one beat late means that this process was
    stopped or overloaded: beats may wait unread, so the lateness does not count as silence.
    """

    def __init__(self, now: float, period_s: float, beat_s: float) -> None:
        self.deaf_s = 0.0
        self._expected = now + period_s
        self._period_s = period_s
        self._beat_s = beat_s

    def tick(self, now: float) -> float:
        """Notes a tick at `now`; answers the listening time."""
        late_s = now - self._expected
        if late_s > self._beat_s:
            self.deaf_s += late_s
        self._expected = now + self._period_s
        return now - self.deaf_s
