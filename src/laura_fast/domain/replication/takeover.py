"""Take-over by priority: a member asks a primary of lower priority to hand over to it, as MongoDB's members do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.domain.replication.state import State


def plan(state: State, now: float) -> None:
    """MongoDB: the best member after one timeout, the next after two, and so on; never where nobody is worse."""
    mine, theirs = state.mine, state.configuration.get(state.primary)
    if mine is None or theirs is None or not mine.electable or mine.priority <= theirs.priority:
        state.take_over_at = float("inf")
    else:
        state.take_over_at = now + (state.configuration.rank(state.me) + 1) * state.timeout_s


def ask(state: State, now: float) -> None:
    """Asks, if this member has all that the primary has; the next time is planned in case that it is in vain."""
    plan(state, now)
    ready = state.may_stand and state.last >= state.primary_last and now >= state.frozen_until
    if state.primary and ready:
        state.out["ask_hand_off"] = state.primary
