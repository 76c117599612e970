"""The state that all parts of a member's election machine share, and the changes that each of them may make to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.domain.replication.events import Ballot, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.handover import HandOver
    from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember

JITTER_SHARE = 0.5
"""Timeouts are 1 to 1.5 times the configured one: wide enough that two members rarely run together, and a primary is
still replaced within two timeouts."""


class State:
    """One member's. What `Election` tells of it is described there.

    Attributes:
        timeout_s: Of elections.
        out: Fields of the `Step` that is being made.
        run_at: When this member runs for election, unless it hears a primary before.
        take_over_at: When it asks a primary of lower priority to hand over; infinite = never.
        frozen_until: When it may run by itself again, after a step-down.
        led_by: The last primary that it knew; "" = none.
        heard_primary_at: When it heard a primary, and was not one itself afterwards.
        quiet_since: Since when no primary was heard.
        primary_last: End of the primary's log, as last heard.
        hand_over: The step-down that waits for a successor; None = none.
    """

    def __init__(
        self,
        me: str,
        configuration: Configuration,
        ballot: Ballot,
        last: Position,
        *,
        timeout_s: float,
        jitter: Callable[[], float],
        now: float,
        may_stand: bool,
        acknowledged: Position | None,
    ) -> None:
        """That of a follower that waits a whole timeout; see `Election` for the arguments."""
        self.me = me
        self.configuration = configuration
        self.ballot = ballot
        self.role = Role.FOLLOWER
        self.primary = ""
        self.last = last
        self.may_stand = may_stand
        self.acknowledged = acknowledged
        self.timeout_s = timeout_s
        self._jitter = jitter
        self.out: dict[str, Any] = {}
        self.run_at = self.after(now)
        self.take_over_at = float("inf")
        self.frozen_until = float("-inf")
        self.led_by = ""
        self.heard_primary_at = float("-inf")
        self.quiet_since = now
        self.primary_last = last
        self.hand_over: HandOver | None = None

    @property
    def term(self) -> int:
        """The current term."""
        return self.ballot.term

    @property
    def mine(self) -> ReplicaMember | None:
        """This member in the configuration; None = it is not part of it."""
        return self.configuration.get(self.me)

    @property
    def may_vote(self) -> bool:
        """Whether this member knows the end of all that it acknowledged."""
        return self.may_stand or self.acknowledged is not None

    def after(self, now: float) -> float:
        """A timeout from now, of random length."""
        return now + self.timeout_s * (1 + JITTER_SHARE * self._jitter())

    def adopt(self, term: int, now: float) -> None:
        """A newer term: nobody is known to lead it, and we have not voted in it."""
        self.keep(Ballot(term))
        self.primary = ""
        if self.role is not Role.FOLLOWER:
            self.follow(f"term {term} began", now)

    def follow(self, reason: str, now: float) -> None:
        """Becomes a follower that knows no other primary than before; what it did as primary or candidate is over."""
        if self.role is Role.PRIMARY:
            self.led_by, self.quiet_since, self.heard_primary_at = self.me, now, float("-inf")
        self.become(Role.FOLLOWER, reason)
        if self.primary == self.me:
            self.primary = ""
        self.hand_over = None
        self.take_over_at = float("inf")
        self.run_at = self.after(now)

    def become(self, role: Role, reason: str) -> None:
        """Takes a role; the reason is for operators."""
        self.role = role
        self.out["role"], self.out["reason"] = role, reason

    def keep(self, ballot: Ballot) -> None:
        """Puts the ballot on disk.

        Raises:
            AssertionError: It is older, or a second vote in its term.
        """
        same = ballot.term == self.ballot.term and self.ballot.vote in {"", ballot.vote}
        if not same and ballot.term <= self.ballot.term:
            raise AssertionError(f"a vote may not be changed, nor a term go back: {self.ballot} to {ballot}")
        self.ballot = self.out["ballot"] = ballot

    def configure(self, configuration: Configuration) -> None:
        """Puts the configuration in force."""
        self.configuration = self.out["configuration"] = configuration
