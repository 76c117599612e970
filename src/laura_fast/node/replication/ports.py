"""What a member needs of the world: the others, and its own log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.domain.replication.events import Ballot
    from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember
    from laura_fast.node.replication.copies import SyncState
    from laura_fast.node.replication.messages import Batch, Beat, Copied, Copy, Fetch, Question, Reply, Report
    from laura_fast.storage.documents.copying import Place, Portion
    from laura_fast.storage.documents.oplog import OplogEntry


class Peers(Protocol):
    """The other members. Every method raises `ClientError` when the other did not answer, or refused."""

    async def ask_vote(self, member: ReplicaMember, question: Question) -> Reply:
        """Asks for a vote."""

    async def beat(self, member: ReplicaMember, beat: Beat) -> Report:
        """Shows that the primary lives."""

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        """Entries of the primary.

        Raises:
            RemoteError: DIVERGED: its log does not have our last entry. OPLOG_TRUNCATED: it no longer keeps the entry
                behind our last one.
        """

    async def report(self, member: ReplicaMember, report: Report) -> None:
        """Tells the primary how far this member is."""

    async def greet(self, member: ReplicaMember) -> Report:
        """Asks how far a member is, whatever it is."""

    async def copy(self, member: ReplicaMember, copy: Copy) -> Copied:
        """The next part of a copy of everything that the primary has.

        Raises:
            RemoteError: DIVERGED: what was copied before is not in its log. OPLOG_TRUNCATED: the log does not reach
                back to the beginning of the copy.
        """

    async def hand_off(self, member: ReplicaMember, term: int, reason: str) -> None:
        """Tells a member to run for election at once, and why."""

    async def ask_hand_off(self, member: ReplicaMember, successor: str) -> None:
        """Asks the primary to hand over."""


class Copies(Protocol):
    """Copies of everything, given and taken."""

    async def read(self, place: Place, names: Sequence[str]) -> Portion:
        """The next portion of a copy. Raises NotFoundError for a collection that isn't there."""

    def pin(self, member: str, op_id: int | None) -> None:
        """Keeps the log from an entry on for a member; None = no longer."""

    def keeps(self, op_id: int) -> bool:
        """Whether the log still has what follows an entry."""

    @property
    def admitted(self) -> bool:
        """Whether this member holds what it may have acknowledged: it may stand for election."""

    @property
    def state(self) -> SyncState | None:
        """Of the initial sync that is under way; None = none is."""

    async def admit(self) -> None:
        """This member need not copy anything, or not any more. Durable when it returns."""

    async def begin(self, copied: Copied, acknowledged: Position | None) -> None:
        """Removes all documents and takes the first part of a copy. Durable when it returns.

        Args:
            copied: The part.
            acknowledged: See `SyncState`.
        """

    async def take(self, copied: Copied) -> None:
        """Takes another part. Durable when it returns."""

    async def replay(self, entries: Sequence[OplogEntry]) -> None:
        """Applies what the log says behind the beginning of the copy. Durable when it returns."""


class ReplicaLog(Protocol):
    """The oplog with the documents behind it, and the ballot beside it. All of it durable.

    Attributes:
        on_growth: Called on the event loop when the log has grown by writes of this node.
        copies: For members that lack what the log no longer has; None where it keeps everything and is never lost.
    """

    on_growth: Callable[[], None]
    copies: Copies | None

    @property
    def last(self) -> Position:
        """The last entry on disk."""

    def waits_s(self, now: float) -> float:
        """Seconds, by the event loop's time, since writes wait for the disk and none of them ends; 0.0 = none waits."""

    def ballot(self) -> Ballot:
        """As last kept."""

    async def keep_ballot(self, ballot: Ballot) -> None:
        """Durable when it returns."""

    def configuration(self) -> Configuration | None:
        """As last kept; None = never."""

    async def keep_configuration(self, configuration: Configuration) -> None:
        """Durable when it returns."""

    async def lead(self, term: int) -> Position:
        """Takes this node's own writes from now on, behind a no-op of the term, whose position it returns."""

    def fence(self) -> None:
        """Takes no more writes of this node, not even those that wait for the writer."""

    async def pause(self) -> None:
        """Takes no new writes of this node for now; those that it took before are on disk when this returns."""

    def resume(self) -> None:
        """Takes them again."""

    def read(self, start: int) -> Sequence[OplogEntry]:
        """A batch of entries from this op id on, within the limits of one message.

        Raises:
            FailedPreconditionError: It is no longer kept.
        """

    def term_at(self, op_id: int) -> int | None:
        """Term of an entry; None where it is not kept. That of 0, before the first, is 0."""

    async def append(self, entries: Sequence[OplogEntry]) -> None:
        """Appends and applies a primary's entries; those it has already are passed over.

        Raises:
            OutOfRangeError: There is a gap, or an entry differs from the one here.
        """

    async def roll_back(self, to: Position) -> None:
        """Undoes every entry behind this one, with the rest of the job it belongs to, and saves what was undone."""

    @property
    def committed(self) -> int:
        """The newest entry that is known never to be rolled back."""

    def commit(self, op_id: int) -> None:
        """Entries up to this one will never be rolled back; an older one than known changes nothing."""
