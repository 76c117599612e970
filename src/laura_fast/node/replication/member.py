"""What everybody may know of this member, and the parts that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.node.database.replication import outcome_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.events import Role
    from laura_fast.domain.replication.history import History
    from laura_fast.domain.replication.members import Configuration, ReplicaMember
    from laura_fast.domain.replication.progress import WriteConcern
    from laura_fast.node.replication.following import Following
    from laura_fast.node.replication.leading import Leading
    from laura_fast.node.replication.news import News
    from laura_fast.node.replication.office import Office
    from laura_fast.node.replication.ports import ReplicaLog
    from laura_fast.node.replication.steps import Steps
    from laura_fast.node.replication.syncing import Syncing
    from laura_fast.node.replication.tasks import Tasks


class Member:
    """The view of a member; `driver.ReplicaSet` puts the parts together.

    Attributes:
        me: This node's id.
        history: The elections that it has seen.
        news: Told after every step.
    """

    me: str
    history: History
    news: News
    _log: ReplicaLog
    _machine: Election
    _steps: Steps
    _office: Office
    _following: Following
    _syncing: Syncing | None
    _tasks: Tasks
    _timeout_s: float
    _commit: int

    @property
    def role(self) -> Role:
        """What this node is."""
        return self._machine.role

    @property
    def term(self) -> int:
        """The current term."""
        return self._machine.term

    @property
    def configuration(self) -> Configuration:
        """In force."""
        return self._steps.configuration

    @property
    def primary(self) -> ReplicaMember | None:
        """Who leads, as far as this node knows."""
        return self._office.primary

    @property
    def tags(self) -> Mapping[str, str]:
        """This node's, in the configuration in force."""
        me = self._machine.configuration.get(self.me)
        return me.tags if me else {}

    @property
    def sync_progress(self) -> str:
        """How far this member's initial sync is; empty when it needs none."""
        return self._syncing.progress if self._syncing else ""

    @property
    def level_s_ago(self) -> float:
        """Seconds since this follower last had all that its primary had."""
        return self._steps.now() - self._following.level_at

    @property
    def leads(self) -> bool:
        """Whether this node is in office."""
        return self._office.leading is not None

    @property
    def on_change(self) -> Callable[[], None]:
        """See `Office.on_change`."""
        return self._office.on_change

    @on_change.setter
    def on_change(self, call: Callable[[], None]) -> None:
        self._office.on_change = call

    def lead(self) -> Leading:
        """This node's office. Raises as `Office.lead`."""
        return self._office.lead()

    async def settle(self, concern: WriteConcern) -> None:
        """Returns when all that is in our log is as safe as asked. Raises as `wait`."""
        await self.wait(self._log.last.op_id, concern)

    async def wait(self, op_id: int, concern: WriteConcern) -> None:
        """Returns when an entry that we wrote is as safe as asked.

        Raises:
            FailedPreconditionError: It can never be.
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more, and what it wrote may be undone or not.
        """
        if self._office.leading is None:
            raise outcome_unknown()
        await self._office.leading.wait(op_id, concern)
