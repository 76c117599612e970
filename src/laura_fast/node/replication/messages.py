"""What members of a replica set tell each other, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.domain.replication.history import ElectionRecord
    from laura_fast.domain.replication.members import Configuration, Position, Stamp
    from laura_fast.storage.documents.oplog import OplogEntry


@dataclass(frozen=True, slots=True)
class Question:
    """A candidate asks for a vote, and brings its configuration; see `events.VoteAsked`."""

    candidate: str
    term: int
    last: Position | None
    replica_set: str
    config_version: int
    dry_run: bool = False
    hand_off: bool = False
    config_term: int = 0
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A voter's answer, its term, and its configuration if that is newer than the candidate's."""

    voter: str
    term: int
    granted: bool
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """A primary shows that it lives.

    Attributes:
        primary: Its id.
        term: It leads.
        last: End of its log.
        commit: Op id of the last committed entry.
        election: Why it leads.
        configuration: In force, for a member that is not known to have it.
    """

    primary: str
    term: int
    last: Position
    commit: int
    election: ElectionRecord | None = None
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How far a member is; the answer to a beat, and sent by itself whenever its log grew.

    Attributes:
        member: Its id.
        term: Its term.
        applied: End of what it applied.
        durable: End of what it has on disk.
        stamp: Of the configuration that it has on disk; None = it did not say.
        may_vote: It knows what it acknowledged and whom it voted for; not so who lost its directory.
    """

    member: str
    term: int
    applied: Position
    durable: Position
    stamp: Stamp | None = None
    may_vote: bool = True


@dataclass(frozen=True, slots=True)
class Fetch:
    """A member asks its primary for what comes behind its own log.

    Attributes:
        member: Its id.
        last: End of its log: the entry before the first it wants. Term 0 behind the beginning: it did not say.
        wait_s: How long the primary may wait for a first entry.
    """

    member: str
    last: Position
    wait_s: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries in order, none if there are none yet, and what the primary knows.

    Attributes:
        primary: Its id.
        term: It leads.
        commit: Op id of the last committed entry.
        latest: Op id of the last entry.
        entries: Behind the one that was asked from.
    """

    primary: str
    term: int
    commit: int
    latest: int
    entries: tuple[OplogEntry, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """A member asks its primary for the next part of a copy of everything.

    Attributes:
        member: Its id.
        token: Of the part before; empty = from the beginning.
        collections: Namespaces; none = all.
    """

    member: str
    token: bytes = b""
    collections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copied:
    """A part of a copy.

    Attributes:
        start: Op id of the last entry when the copy began: what follows must be replayed.
        entry: That entry, with the first part; None = there is none.
        seen: End of the log in the state that this part was read from.
        pieces: As `storage.documents.copying` encodes them.
        documents: How many are in them.
        token: To go on with.
        complete: This is the last part.
    """

    start: int
    entry: OplogEntry | None
    seen: Position
    pieces: bytes
    documents: int
    token: bytes
    complete: bool
