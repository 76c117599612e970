"""What a member does in a term: it leads, it follows somebody, or it waits for news. Never two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.events import Role
from laura_fast.errors import FailedPreconditionError
from laura_fast.node.replication.leading import Leading

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.events import Event, Step
    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.following import Following
    from laura_fast.node.replication.ports import ReplicaLog
    from laura_fast.node.replication.tasks import Tasks


class Office:
    """The work that this member has now. Belongs to one event loop.

    Attributes:
        leading: The office, once the no-op of the term is written.
        followed: Id of the primary whose term it is, "" while none is known, and the term.
        on_change: Called with nothing whenever this node's role, its primary or the configuration changed.
    """

    def __init__(
        self,
        machine: Election,
        replica_log: ReplicaLog,
        following: Following,
        tasks: Tasks,
        take: Callable[[Event], Coroutine[Any, Any, Step]],
    ) -> None:
        """Prepares.

        Args:
            machine: Says who leads.
            replica_log: This node's.
            following: The work under a primary.
            tasks: In which the work is done.
            take: Takes a step of the machine.
        """
        self.leading: Leading | None = None
        self.followed = ("", 0)
        self.on_change: Callable[[], None] = lambda: None
        self._machine = machine
        self._log = replica_log
        self._following = following
        self._tasks = tasks
        self._take = take
        self._work: asyncio.Task[None] | None = None

    @property
    def primary(self) -> ReplicaMember | None:
        """Who leads, as far as this node knows."""
        return self._machine.configuration.get(self._machine.primary)

    def lead(self) -> Leading:
        """This node's office.

        Raises:
            FailedPreconditionError: NOT_PRIMARY, with the primary's address where it is known.
        """
        if self.leading is None:
            primary = self.primary
            hint = {"primary_id": primary.id, "primary_address": primary.address} if primary else {}
            told = f"the primary is {primary.id} at {primary.address}" if primary else "no primary is known now"
            raise FailedPreconditionError(f"not primary: {told}", "NOT_PRIMARY", metadata=hint)
        return self.leading

    def change(self) -> None:
        """Leads, follows somebody else, or waits for news, as the machine says now."""
        wanted = (self._machine.primary if self._machine.belongs else "", self._machine.term)
        if wanted == self.followed:
            return
        self.followed = wanted
        self._leave()
        primary = self.primary
        if self._machine.role is Role.PRIMARY:
            self._work = self._tasks.spawn(self._enter(self._machine.term))
        elif primary and self._machine.belongs:
            self._work = self._tasks.spawn(self._following.follow(primary, self._machine.term))
        self.on_change()

    def withdraw(self) -> None:
        """Ends our office if the machine is past its term, while the ballot is still on its way to the disk.

        A vote is judged by the end of our log, and writes that are on their way to the disk come behind that end: who
        wins by the vote may lack them, so from the vote on this node may not count them as safe.
        """
        if self.followed[0] == self._machine.me and self.followed[1] < self._machine.term:
            self._leave()

    def configure(self) -> None:
        """Another configuration is in force."""
        if self.leading:
            self.leading.configure(self._machine.configuration)
        self.on_change()

    def _leave(self) -> None:
        if self._work:
            self._work.cancel()
        if self.leading:
            self.leading.end()
            self.leading = None
        if self._machine.role is not Role.PRIMARY:
            self._log.fence()

    async def _enter(self, term: int) -> None:
        try:
            no_op = await self._log.lead(term)
        except FailedPreconditionError:
            return  # another term began before this one's first entry
        self.leading = Leading(self._machine.me, self._machine.configuration, term, self._log, no_op)
        await self._take(events.LogGrew(self._log.last))
        self.on_change()

    def grew(self) -> None:
        """Our own log has grown by our own writes."""
        if self.leading:
            self.leading.grew()
            self._tasks.spawn(self._take(events.LogGrew(self._log.last)))
