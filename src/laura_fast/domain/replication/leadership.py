"""Leading a term: beats, and check-quorum, by which a primary that no majority hears steps down (Ongaro 2014, 6.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from laura_fast.domain.replication.events import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.domain.replication import events
    from laura_fast.domain.replication.handover import SteppingDown
    from laura_fast.domain.replication.state import State

BEATS_PER_TIMEOUT = 4


class Leadership:
    """One member's, in the terms that it leads.

    Attributes:
        heard: When each member was last heard in the latest of them.
    """

    def __init__(self, state: State, stepping_down: SteppingDown, now: float) -> None:
        """It does not lead yet.

        Args:
            state: Of this member.
            stepping_down: Told of members that are heard, and of time.
            now: The time.
        """
        self.heard: dict[str, float] = {}
        self._state = state
        self._stepping_down = stepping_down
        self._beat_at = now

    @property
    def wake_at(self) -> float:
        """When a primary is to be told of the time at the latest."""
        hand_over = self._state.hand_over
        return min(self._beat_at, hand_over.asked.until if hand_over else self._beat_at)

    def alive(self, now: float) -> set[str]:
        """A primary's: itself, and whom it heard within a timeout."""
        return {self._state.me, *(member for member, at in self.heard.items() if now - at < self._state.timeout_s)}

    def majority_heard(self, now: float) -> bool:
        """Whether a majority was heard within a timeout."""
        return self._state.configuration.is_majority(self.alive(now))

    def begin(self, reason: str, votes: Iterable[str], now: float) -> None:
        """An election was won; the configuration becomes one of the new term."""
        state = self._state
        state.become(Role.PRIMARY, reason)
        state.configure(replace(state.configuration, term=state.term))
        state.primary = state.me
        self.heard = dict.fromkeys(votes, now)
        state.hand_over = None
        self._beat(now)

    def ticked(self, now: float) -> None:
        """Time went on for a primary."""
        hand_over = self._state.hand_over
        if not self.majority_heard(now):
            self._state.follow("no majority answered for a whole election timeout", now)
        elif hand_over and now >= hand_over.asked.until:
            self._stepping_down.end(hand_over.asked, now)
        elif now >= self._beat_at:
            self._beat(now)

    def member_heard(self, event: events.MemberHeard) -> None:
        """Its answer counts for check-quorum, and what it has for a step-down."""
        state = self._state
        if state.configuration.get(event.member) is None:
            return
        if event.term > state.term:
            state.adopt(event.term, event.now)
        elif state.role is Role.PRIMARY and event.term == state.term:
            self.heard[event.member] = max(event.now, self.heard.get(event.member, event.now))
            self._stepping_down.heard(event.member, event.durable, event.now)

    def change_asked(self, event: events.ChangeAsked) -> None:
        """The next configuration is put in force by the primary of its term, and beats tell it."""
        state, after = self._state, event.configuration
        if state.role is Role.PRIMARY and after.term == state.term and after.version == state.configuration.version + 1:
            state.configure(after)
            self._beat(event.now)

    def step_down_asked(self, event: events.StepDownAsked) -> None:
        """A successor is sought at once, by a beat whose answers tell who has caught up."""
        if self._state.role is Role.PRIMARY:
            self._stepping_down.begin(event)
            self._beat(event.now)
            self._stepping_down.attempt(event.now)

    def _beat(self, now: float) -> None:
        self._beat_at = now + self._state.timeout_s / BEATS_PER_TIMEOUT
        self._state.out["beat"] = True
