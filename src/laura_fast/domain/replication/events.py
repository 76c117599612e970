"""What the election machine is told, and what it answers. Times are seconds of the member's own monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration, Position


class Role(Enum):
    """What a member is now."""

    FOLLOWER = "follower"
    ASKING = "asking"
    """It asks whether an election would be won (pre-vote); nothing has changed yet."""
    CANDIDATE = "candidate"
    PRIMARY = "primary"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a member must never forget: its term and whom it voted for in it ("" = nobody)."""

    term: int = 0
    vote: str = ""


# --- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time went on."""

    now: float


@dataclass(frozen=True, slots=True)
class VoteAsked:
    """A candidate wants our vote.

    Attributes:
        last: End of its log; None from a client that can't tell its term.
        dry_run: It asks only whether it would get it.
        hand_off: The primary itself told it to run.
    """

    now: float
    candidate: str
    term: int
    last: Position | None
    replica_set: str
    config_version: int
    dry_run: bool = False
    hand_off: bool = False
    config_term: int = 0


@dataclass(frozen=True, slots=True)
class VoteTold:
    """A voter answered. `asked_term` is that of the question, `term` that of the voter."""

    now: float
    voter: str
    asked_term: int
    term: int
    granted: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class PrimaryHeard:
    """A primary's beat or batch arrived."""

    now: float
    primary: str
    term: int
    last: Position


@dataclass(frozen=True, slots=True)
class MemberHeard:
    """A member answered our beat, or reported how far it is."""

    now: float
    member: str
    term: int
    durable: Position


@dataclass(frozen=True, slots=True)
class LogGrew:
    """Our own log ends elsewhere now: it grew, or was rolled back."""

    last: Position


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """Some other member has this configuration; it is taken if it is newer than ours."""

    now: float
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class ChangeAsked:
    """The primary shall make this the next configuration; it may (`reconfiguration.check_change`)."""

    now: float
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class SyncBegan:
    """Our log is about to be replaced by a copy of one that ends here: until that is complete we may not stand."""

    last: Position


@dataclass(frozen=True, slots=True)
class SyncEnds:
    """Our copy is complete, or the set is new, and that is about to be kept: in terms up to this one we don't vote."""

    term: int = 0


@dataclass(frozen=True, slots=True)
class Synced:
    """That our copy is complete, or the set is new, is on disk: we may vote and stand."""


@dataclass(frozen=True, slots=True)
class StepDownAsked:
    """The primary shall hand over.

    Attributes:
        until: By when a majority must have caught up.
        force: Then step down all the same.
        successor: Who shall follow; "" = whoever is best.
        reason: Why, for operators.
        freeze_s: How long this member does not run again by itself.
    """

    now: float
    until: float
    force: bool = False
    successor: str = ""
    reason: str = "a step-down was asked for"
    freeze_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RunAsked:
    """The primary handed over to us: run at once. The reason is for operators."""

    now: float
    term: int
    reason: str = "hand-over"


@dataclass(frozen=True, slots=True)
class Stalled:
    """Our disk did not answer for longer than a primary may be silent."""

    now: float


Event = (
    Ticked
    | VoteAsked
    | VoteTold
    | PrimaryHeard
    | MemberHeard
    | LogGrew
    | Reconfigured
    | ChangeAsked
    | SyncBegan
    | SyncEnds
    | Synced
    | StepDownAsked
    | RunAsked
    | Stalled
)


# --- what comes out ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskVote:
    """To be sent to every other voter."""

    term: int
    last: Position
    dry_run: bool
    hand_off: bool


@dataclass(frozen=True, slots=True)
class VoteAnswer:
    """What the candidate is told, and for our log why."""

    granted: bool
    term: int
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Act in the order of the fields: nothing may leave before what stands above it is done.

    Attributes:
        ballot: Persist it before anything else; on failure this member must stop.
        configuration: Persist it, too; it is in force now.
        ask: Send to every other voter.
        answer: To the candidate that asked.
        role: The new role, if it changed.
        reason: Why it did, for operators.
        beat: Send a beat to every other member.
        hand_off: Tell this member to run.
        ask_hand_off: Ask the primary to hand over to us: we have the higher priority and are caught up.
        writes: Take writes again: the step-down for which they were held was given up.
    """

    ballot: Ballot | None = None
    configuration: Configuration | None = None
    ask: AskVote | None = None
    answer: VoteAnswer | None = None
    role: Role | None = None
    reason: str = ""
    beat: bool = False
    hand_off: str = ""
    ask_hand_off: str = ""
    writes: bool = False
