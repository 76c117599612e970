"""Whether a member votes for a candidate: the rules in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from laura_fast.domain.replication.events import Ballot, Role, VoteAnswer
from laura_fast.domain.replication.members import Stamp

if TYPE_CHECKING:
    from laura_fast.domain.replication.events import VoteAsked
    from laura_fast.domain.replication.leadership import Leadership
    from laura_fast.domain.replication.members import Configuration, Position
    from laura_fast.domain.replication.state import State


@dataclass(frozen=True, slots=True)
class Voter:
    """A member at the moment it is asked.

    Attributes:
        id: Its own.
        configuration: In force.
        may_vote: See `Election`.
        ballot: Its term and vote; a real question's newer term is adopted before.
        last: End of its log, or of all that it acknowledged before it began to copy everything.
        healthy: The primary that it is, or heard within an election timeout; "" = none.
    """

    id: str
    configuration: Configuration
    may_vote: bool
    ballot: Ballot
    last: Position
    healthy: str


def stranger(configuration: Configuration, asked: VoteAsked) -> str:
    """Why the candidate is not to be listened to at all, not even to its term; "" if it is."""
    if not asked.candidate or asked.term <= 0:
        return "no candidate or no term"
    if asked.replica_set and asked.replica_set != configuration.name:
        return f"another replica set: {asked.replica_set}"
    candidate = configuration.get(asked.candidate)
    if candidate is None or not candidate.electable:
        return f"{asked.candidate} is not an electable member"
    return ""


def refusal(voter: Voter, asked: VoteAsked) -> str:
    """Why the candidate does not get this vote; "" if it does."""
    member = voter.configuration.get(voter.id)
    if member is None or not member.votes or not voter.may_vote:
        return "this member may not vote"
    if behind := _behind(voter, asked):
        return behind
    if asked.term == voter.ballot.term and voter.ballot.vote not in {"", asked.candidate}:
        return f"voted for {voter.ballot.vote}"
    return "" if asked.hand_off else _loyalty(voter, asked)


def _behind(voter: Voter, asked: VoteAsked) -> str:
    """What of ours the candidate lacks."""
    if asked.term < voter.ballot.term:
        return f"term {asked.term} is over"
    if asked.last is None:
        return "the candidate did not say the term of its last entry"
    if asked.last < voter.last:
        return "the candidate's log ends before ours"
    if asked.config_version and Stamp(asked.config_term, asked.config_version) < voter.configuration.stamp:
        return "the candidate's configuration is out of date"
    return ""


def _loyalty(voter: Voter, asked: VoteAsked) -> str:
    """Why a healthy primary is not to be replaced: nobody helps in a pre-vote, an arbiter (as MongoDB's) never."""
    if asked.dry_run:
        return f"the primary {voter.healthy} was heard" if voter.healthy else ""
    mine, primary = voter.configuration.get(voter.id), voter.configuration.get(voter.healthy)
    candidate = voter.configuration.get(asked.candidate)
    if mine and mine.arbiter and primary and candidate and primary.priority >= candidate.priority:
        return f"an arbiter sees the healthy primary {primary.id}"
    return ""


class Voting:
    """One member's part of it: terms that it hears of, its ballot, and the answer."""

    def __init__(self, state: State, leadership: Leadership) -> None:
        """It was not asked yet.

        Args:
            state: Of this member.
            leadership: Knows whom a primary hears.
        """
        self._state = state
        self._leadership = leadership

    def vote_asked(self, event: VoteAsked) -> None:
        """Answers; a vote that is given puts off running for election."""
        state = self._state
        why = stranger(state.configuration, event) or self._refusal(event)
        if not why and not event.dry_run:
            state.keep(Ballot(event.term, event.candidate))
            state.run_at = state.after(event.now)
        state.out["answer"] = VoteAnswer(not why, state.term, why or "granted")

    def _refusal(self, event: VoteAsked) -> str:
        """By the state after a newer term was adopted, but with the primary that was known before."""
        state, healthy = self._state, self._healthy(event.now)
        if not event.dry_run and event.term > state.term:
            state.adopt(event.term, event.now)
        last = state.last if state.acknowledged is None else state.acknowledged
        return refusal(Voter(state.me, state.configuration, state.may_vote, state.ballot, last, healthy), event)

    def _healthy(self, now: float) -> str:
        """The primary that this member is, or heard within a timeout."""
        state = self._state
        if state.role is Role.PRIMARY:
            return state.me if self._leadership.majority_heard(now) else ""
        return state.led_by if now - state.heard_primary_at < state.timeout_s else ""
