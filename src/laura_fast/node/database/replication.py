"""What the database asks of replication: whether this node takes writes now, and when a write is safe enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from laura_fast.node.database import concerns

if TYPE_CHECKING:
    from laura_fast.node.database.concerns import ReadPreference, WriteConcern


class Replication(Protocol):
    """This node's part in its replica set."""

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

    async def settle(self, concern: WriteConcern) -> None:
        """Returns when everything that was written here before is as safe as asked.

        Raises:
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more.
        """


class Alone:
    """A node without others: what is on disk is as safe as it gets."""

    def check_write(self, concern: WriteConcern) -> None:
        concerns.check_write(concern)

    def check_read(self, preference: ReadPreference) -> None:
        concerns.check_read(preference)

    async def settle(self, concern: WriteConcern) -> None:
        """Is already."""
