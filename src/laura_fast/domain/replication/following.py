"""Following: a primary's beats, and configurations that are newer than ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import takeover
from laura_fast.domain.replication.events import Role

if TYPE_CHECKING:
    from laura_fast.domain.replication import events
    from laura_fast.domain.replication.state import State


class Following:
    """One member's: what it hears makes a follower of it, or keeps it one."""

    def __init__(self, state: State) -> None:
        """Acts on this state."""
        self._state = state

    def primary_heard(self, event: events.PrimaryHeard) -> None:
        """Follows it, unless its term is over.

        Raises:
            AssertionError: This member leads the same term.
        """
        state = self._state
        if event.term < state.term or state.configuration.get(event.primary) is None:
            return
        if event.term > state.term:
            state.adopt(event.term, event.now)
        elif state.role is Role.PRIMARY:
            raise AssertionError(f"two primaries in term {state.term}: {state.me} and {event.primary}")
        if state.role is not Role.FOLLOWER:
            state.follow(f"{event.primary} leads term {event.term}", event.now)
        if state.primary != event.primary:
            state.primary = event.primary
            takeover.plan(state, event.now)
        state.led_by = event.primary
        state.heard_primary_at = state.quiet_since = event.now
        state.primary_last = event.last
        state.run_at = state.after(event.now)

    def reconfigured(self, event: events.Reconfigured) -> None:
        """Takes a newer configuration of the same set; it may let this member lead no more, or rank it otherwise."""
        state, after = self._state, event.configuration
        if after.name != state.configuration.name or after.stamp <= state.configuration.stamp:
            return
        if after.term > state.term:
            state.adopt(after.term, event.now)
        state.configure(after)
        if state.role is not Role.FOLLOWER and (state.mine is None or not state.mine.electable):
            state.follow("the new configuration does not let this member lead", event.now)
        elif state.primary and state.role is Role.FOLLOWER:
            takeover.plan(state, event.now)
