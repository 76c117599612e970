"""A primary that steps down for a better one: MongoDB's conditional step-down.

It takes no more writes and waits until a majority has its last entry and one of those that have it may lead. That one
is told to run at once, so the set is without a primary for one round of votes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import BEGINNING

if TYPE_CHECKING:
    from laura_fast.domain.replication.events import StepDownAsked
    from laura_fast.domain.replication.members import Configuration, Position
    from laura_fast.domain.replication.state import State


class HandOver:
    """One attempt."""

    def __init__(self, me: str, asked: StepDownAsked) -> None:
        """Begins it.

        Args:
            me: The primary.
            asked: By when, for whom, and what if nobody is ready then.
        """
        self.asked = asked
        self._me = me
        self._durable: dict[str, Position] = {}

    def heard(self, member: str, durable: Position) -> None:
        """A member reported how far it is."""
        self._durable[member] = max(durable, self._durable.get(member, BEGINNING))

    def ready(self, configuration: Configuration, last: Position) -> str:
        """Who is to run now; "" while nobody can."""
        equal = [member for member, durable in self._durable.items() if durable >= last and member != self._me]
        if not configuration.is_majority([*equal, self._me]):
            return ""
        candidates = [member for member in map(configuration.get, equal) if member and member.electable]
        if self.asked.successor:
            candidates = [member for member in candidates if member.id == self.asked.successor]
        best = max(candidates, key=lambda member: (member.priority, member.id), default=None)
        return best.id if best else ""


class SteppingDown:
    """A primary's side of it."""

    def __init__(self, state: State) -> None:
        """Nothing is asked yet.

        Args:
            state: Of this member; holds the attempt under way, which ends with its role.
        """
        self._state = state

    def begin(self, asked: StepDownAsked) -> None:
        """A step-down is asked for; it replaces one that is under way."""
        self._state.hand_over = HandOver(self._state.me, asked)

    def heard(self, member: str, durable: Position, now: float) -> None:
        """A member reported how far it is: maybe it can follow."""
        if self._state.hand_over:
            self._state.hand_over.heard(member, durable)
        self.attempt(now)

    def attempt(self, now: float) -> None:
        """Hands over if somebody is ready."""
        state = self._state
        if state.hand_over and (successor := state.hand_over.ready(state.configuration, state.last)):
            state.out["hand_off"] = successor
            self._step_down(state.hand_over.asked, f"{state.me} handed over to {successor}", now)

    def end(self, asked: StepDownAsked, now: float) -> None:
        """The time for a successor is over."""
        if asked.force:
            self._step_down(asked, f"{self._state.me} stepped down without a successor", now)
            return
        self._state.hand_over = None
        self._state.out["writes"] = True

    def _step_down(self, asked: StepDownAsked, what: str, now: float) -> None:
        self._state.frozen_until = now + asked.freeze_s
        self._state.follow(f"{what}: {asked.reason}", now)
