"""Running for election: the pre-vote, the vote, and the counting of both (Ongaro 2014, chapters 3.4 and 9.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.events import Ballot, Role

if TYPE_CHECKING:
    from laura_fast.domain.replication.leadership import Leadership
    from laura_fast.domain.replication.state import State


class Candidacy:
    """One member's: the question that it asks now, and the answers so far."""

    def __init__(self, state: State, leadership: Leadership) -> None:
        """It does not run yet.

        Args:
            state: Of this member.
            leadership: Begins with an election that is won.
        """
        self._state = state
        self._leadership = leadership
        self._yes: set[str] = set()
        self._no: set[str] = set()
        self._asked_term = 0
        self._cause = ""

    def time_out(self, now: float) -> None:
        """No primary was heard for a timeout."""
        last = f"; the last was {self._state.led_by}" if self._state.led_by else ""
        silence = f"no primary was heard for {now - self._state.quiet_since:.1f} s{last}"
        self._run(now, dry_run=True, cause=silence)

    def run_asked(self, event: events.RunAsked) -> None:
        """The primary handed over: no pre-vote."""
        if event.term == self._state.term and self._state.role is not Role.PRIMARY:
            self._run(event.now, dry_run=False, cause=event.reason, hand_off=True)

    def vote_told(self, event: events.VoteTold) -> None:
        """An answer: it counts once, and only if it is one to the question that is asked now."""
        if event.term > self._state.term and not (event.dry_run and event.granted):
            self._state.adopt(event.term, event.now)
            return
        wanted = Role.ASKING if event.dry_run else Role.CANDIDATE
        if self._state.role is not wanted or event.asked_term != self._asked_term or event.voter in self._no:
            return
        (self._yes if event.granted else self._no).add(event.voter)
        self._count(event.now)

    def _run(self, now: float, *, dry_run: bool, cause: str, hand_off: bool = False) -> None:
        state = self._state
        state.run_at, state.primary = state.after(now), ""
        frozen = now < state.frozen_until and not hand_off
        if state.mine is None or not state.mine.electable or not state.may_stand or frozen:
            return
        self._cause = cause
        self._yes, self._no = {state.me}, set()
        self._asked_term = state.term + 1
        if not dry_run:
            state.keep(Ballot(self._asked_term, state.me))
        state.become(Role.ASKING if dry_run else Role.CANDIDATE, cause)
        state.out["ask"] = events.AskVote(self._asked_term, state.last, dry_run, hand_off)
        self._count(now)

    def _count(self, now: float) -> None:
        """Wins, or gives up once it can't be won."""
        configuration = self._state.configuration
        if configuration.is_majority(self._yes):
            if self._state.role is Role.ASKING:
                self._run(now, dry_run=False, cause=self._cause)
            else:
                self._leadership.begin(f"{self._cause}; votes of {', '.join(sorted(self._yes))}", self._yes, now)
        elif not configuration.is_majority(configuration.voters - self._no):
            self._state.follow("the vote was lost", now)
