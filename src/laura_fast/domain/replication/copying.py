"""Copying everything: what a member whose log is replaced may do meanwhile (invariant 8 of the machine)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication.events import Ballot

if TYPE_CHECKING:
    from laura_fast.domain.replication import events
    from laura_fast.domain.replication.members import Position
    from laura_fast.domain.replication.state import State


class Copying:
    """One member's."""

    def __init__(self, state: State) -> None:
        """Acts on this state."""
        self._state = state

    def sync_began(self, event: events.SyncBegan) -> None:
        """Who starts over has acknowledged nothing since."""
        state = self._state
        if state.may_stand:
            state.may_stand, state.acknowledged = False, state.last
        self._check_covered(event.last)

    def sync_ends(self, event: events.SyncEnds) -> None:
        """Who lost its ballot may have voted in any term that somebody knows of: those votes are given away."""
        state = self._state
        self._check_covered(state.last)
        if state.may_vote:
            return
        if event.term > state.term:
            state.primary = ""
            state.keep(Ballot(event.term, state.me))
        elif state.term and not state.ballot.vote:
            state.keep(Ballot(state.term, state.primary or state.me))

    def synced(self, _event: events.Synced) -> None:
        """The copy is complete, on disk."""
        self._state.may_stand, self._state.acknowledged = True, None

    def _check_covered(self, last: Position) -> None:
        acknowledged = self._state.acknowledged
        if acknowledged is not None and last < acknowledged:
            raise AssertionError(f"a copy that ends at {last} lacks what was acknowledged up to {acknowledged}")
