"""Whether a member votes for a candidate: the rules in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import Stamp

if TYPE_CHECKING:
    from laura_fast.domain.replication.events import Ballot, VoteAsked
    from laura_fast.domain.replication.members import Configuration, Position


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
