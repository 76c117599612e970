"""What the database asks of replication: whether this node takes writes now, and when a write is safe enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from laura_fast.errors import FailedPreconditionError, UnavailableError
from laura_fast.node.database import concerns
from laura_fast.storage.documents import times

if TYPE_CHECKING:
    from laura_fast.node.database.concerns import ReadConcern, ReadPreference, WriteConcern
    from laura_fast.node.ports import Clock
    from laura_fast.storage.documents.store import DocumentStore


HANDING_OVER: Final = "HANDING_OVER"
"""Why a write was not made that came while the primary was handing over: nothing happened."""


def outcome_unknown() -> UnavailableError:
    """The answer to a write whose primary lost its office."""
    told = "the primary lost its office while the write was on its way; a retry with the same request_id settles it"
    return UnavailableError(told, "OUTCOME_UNKNOWN", retry_after_ms=0)


class Replication(Protocol):
    """This node's part in its replica set."""

    async def lead_known(self) -> None:
        """Returns once it is settled which node takes writes, or has not been for too long.

        While the lead is handed over nobody takes any. Who waits here is told the next primary by `check_write` at the
        moment there is one, which is sooner than it could guess.
        """

    def check_write(self, concern: WriteConcern) -> None:
        """Refuses a write before anything happens.

        Raises:
            FailedPreconditionError: NOT_PRIMARY with the primary's address, or a concern that can't be reached.
            InvalidArgumentError: WRITE_CONCERN: not a concern at all.
        """

    def check_read(self, preference: ReadPreference) -> None:
        """Refuses a read that this member may not answer.

        Raises:
            FailedPreconditionError: NOT_PRIMARY, or NO_SUITABLE_MEMBER.
            InvalidArgumentError: READ_PREFERENCE: it contradicts itself.
        """

    async def moment(self, concern: ReadConcern, after: int) -> int | None:
        """Waits until a read can be answered as it wants; the commit time to read at, None = the newest.

        Args:
            concern: What it may see.
            after: Commit time that it must see everything up to; 0 = it need not.

        Raises:
            FailedPreconditionError: NOT_PRIMARY. TIME_AHEAD: no clock here has come as far as `after`.
            UnavailableError: NO_QUORUM: this primary could not learn that it still is one.
        """

    def told_time(self, at: int | None) -> int:
        """The commit time that a client needs to see on another node what it saw or wrote here.

        Args:
            at: What `moment` gave; None = the newest.

        Returns:
            0 where there is no other node.
        """

    async def settle(self, concern: WriteConcern) -> None:
        """Returns when everything that was written here before is as safe as asked.

        Raises:
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more.
        """


def check_clock(after: int, clock: Clock) -> None:
    """Raises FailedPreconditionError (TIME_AHEAD) for a commit time that this node's clock has not come to yet."""
    if after > times.at_ms(clock.wall_ms() + 1):
        raise FailedPreconditionError(f"after_time {after} is ahead of this node's clock", "TIME_AHEAD")


class Alone:
    """A node without others: what is on disk is as safe as it gets."""

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def lead_known(self) -> None:
        """It always is."""

    def check_write(self, concern: WriteConcern) -> None:
        concerns.check_write(concern)

    def check_read(self, preference: ReadPreference) -> None:
        concerns.check_read(preference)

    async def moment(self, concern: ReadConcern, after: int) -> int | None:  # noqa: ARG002 - all are the same here
        if after > self._store.head.time:
            check_clock(after, self._clock)
        return None

    def told_time(self, at: int | None) -> int:  # noqa: ARG002 - nobody else needs it
        return 0

    async def settle(self, concern: WriteConcern) -> None:
        """Is already."""
