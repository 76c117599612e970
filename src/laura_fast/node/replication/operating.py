"""What is asked of a member from outside the set: its state, a hand-over, another configuration."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.reconfiguration import check_change
from laura_fast.errors import FailedPreconditionError
from laura_fast.node.replication.member import Member
from laura_fast.node.replication.status import Moment, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.replication.status import SetStatus


class Operating(Member):
    """What operators do with a set, and what clients wait for meanwhile."""

    def status(self) -> SetStatus:
        """The set as this member sees it."""
        leading, now = self._office.leading, self._steps.now()
        commit = leading.progress.commit if leading else self._commit
        seen = status_of(self._machine, leading, self.history, commit, Moment(now, self._timeout_s))
        mine = {self.me: self.sync_progress}
        return seen._replace(members=[row._replace(sync_progress=mine.get(row.member.id, "")) for row in seen.members])

    async def hand_over(self, successor: str) -> None:
        """Begins to hand over to a member that wants it. Raises as `step_down`."""
        await self.step_down(self._timeout_s, successor, reason=f"{successor} has the higher priority")

    async def step_down(
        self,
        seconds: float,
        successor: str = "",
        *,
        force: bool = False,
        freeze_s: float = 0.0,
        reason: str = "a step-down was asked for",
    ) -> None:
        """Begins to hand over, with no new writes from now on; see `events.StepDownAsked`.

        Raises:
            FailedPreconditionError: NOT_PRIMARY.
        """
        leading = self.lead()

        async def begin() -> None:
            await self._log.pause()
            if self._office.leading is leading:
                now = self._steps.now()
                await self._steps.take(events.StepDownAsked(now, now + seconds, force, successor, reason, freeze_s))

        await asyncio.shield(self._tasks.spawn(begin()))  # a pause without an end must not outlast an impatient caller

    async def lead_known(self) -> None:
        """Returns once this node is in office, or another leads; after two election timeouts in any case."""
        if self.leads and not self._machine.handing_over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._timeout_s):
                await self.news.until(self._is_lead_known)

    def _is_lead_known(self) -> bool:
        if self._machine.role is Role.PRIMARY:
            return self.leads and not self._machine.handing_over
        return self.primary is not None

    async def succeeded(self, term: int) -> None:
        """Returns once another member leads, after this one began to hand over in a term.

        Raises:
            FailedPreconditionError: NO_SUCCESSOR: nobody who may lead had caught up in time; this node leads on.
        """
        await self.news.until(lambda: not self._machine.handing_over and (self.primary is not None))
        if self.term == term:
            told = "no member that may lead has caught up in time; this one leads on"
            raise FailedPreconditionError(told, "NO_SUCCESSOR")

    async def reconfigure(self, edit: Callable[[Configuration], Configuration]) -> Configuration:
        """Changes the configuration, and returns when a majority has the new one.

        Args:
            edit: Makes the next version of the one in force, leaves it as it is, or refuses to.

        Raises:
            FailedPreconditionError: NOT_PRIMARY, or a reason of `check_change`.
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more.
        """
        leading = self.lead()
        after = edit(leading.rollout.configuration)
        if after == leading.rollout.configuration:
            await leading.rolled_out(after.version)
            return after
        now = self._steps.now()
        check_change(self.me, leading.progress, leading.rollout, after, self._machine.alive(now))
        await self._steps.take(events.ChangeAsked(now, after))
        if leading.rollout.configuration != after:
            raise FailedPreconditionError("another change of the configuration came first", "CHANGE_PENDING")
        await leading.rolled_out(after.version)
        return after
