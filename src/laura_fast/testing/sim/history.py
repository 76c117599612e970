"""What clients asked and were told, and whether one register could have answered so.

Linearizability (Herlihy & Wing 1990): each operation that was answered took effect at one moment between question and
answer; one whose outcome is unknown took effect at some moment after its question, or never. The search is that of
Wing & Gong 1993 with Lowe's memory of states seen (2017). A history is linearizable exactly if the history of each
register is, so each is searched by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Final

MAX_STATES: Final = 200_000
"""Of one search: a history so tangled that it takes more is given up as undecided, and counted."""


@dataclass(slots=True, eq=False)
class Call:
    """One operation on a register.

    Attributes:
        register: Its name.
        writes: Whether it sets the value, or reads it.
        value: What it set, or what was read.
        begun: When it was asked, in the order of all questions and answers.
        ended: When it was answered; infinite = never, or nobody knows with what outcome.
    """

    register: str
    writes: bool
    value: bytes | None
    begun: float
    ended: float = inf


class UndecidedError(Exception):
    """The search took too long."""


class History:
    """Of all clients."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._clock = count()

    def begin(self, register: str, value: bytes | None, *, writes: bool) -> Call:
        """A client asks."""
        call = Call(register, writes, value, next(self._clock))
        self._calls.append(call)
        return call

    def end(self, call: Call, value: bytes | None) -> None:
        """It was answered."""
        call.value, call.ended = value, next(self._clock)

    def refuse(self, call: Call) -> None:
        """It has not happened, and never will."""
        self._calls.remove(call)

    def strange(self) -> str:
        """The first register that can't have answered so; "" when all can.

        Raises:
            UndecidedError: The search took too long.
        """
        registers: dict[str, list[Call]] = defaultdict(list)
        for call in self._calls:
            registers[call.register].append(call)
        return next((name for name, calls in registers.items() if not linearizable(calls)), "")


def linearizable(calls: list[Call]) -> bool:
    """Whether these operations on one register, which holds None at first, could have happened one after the other.

    Every write must set another value.

    Raises:
        UndecidedError: The search took too long.
    """
    order = _relevant(calls)
    whole = sum(1 << place for place, call in enumerate(order) if call.ended < inf)
    stack: list[tuple[int, bytes | None]] = [(0, None)]
    seen = {stack[0]}
    while stack:
        done, value = stack.pop()
        if done & whole == whole:
            return True
        for place in _next(order, done):
            call = order[place]
            if call.writes or call.value == value:
                state = (done | 1 << place, call.value if call.writes else value)
                if state not in seen:
                    seen.add(state)
                    stack.append(state)
        if len(seen) > MAX_STATES:
            raise UndecidedError
    return False


def _relevant(calls: list[Call]) -> list[Call]:
    """In the order of their questions, without those of unknown outcome that nobody saw the effect of.

    Leaving them out loses nothing: wherever such a write stood in an order, nobody read it before the next write.
    """
    read = {call.value for call in calls if not call.writes and call.ended < inf}
    kept = (call for call in calls if call.ended < inf or (call.writes and call.value in read))
    return sorted(kept, key=lambda call: call.begun)


def _next(order: list[Call], done: int) -> list[int]:
    """Those that may come next: asked before any other that is left was answered.

    The one that was answered first is the last, as the last is tried first.
    """
    first_answer, places = inf, []
    for place, call in enumerate(order):
        if call.begun > first_answer:
            break
        if not done >> place & 1:
            places.append(place)
            first_answer = min(first_answer, call.ended)
    return sorted(places, key=lambda place: -order[place].ended)
