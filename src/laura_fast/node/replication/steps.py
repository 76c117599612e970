"""Steps of the election machine: one at a time, ballot and configuration on disk before anything is done about them.

What is over ends before that: in the term that a ballot leaves behind, this member counts nothing any more.

Only these two make a step wait for the disk; beats of the primary that is followed anyway never do, so that a stalled
disk does not look like a dead member.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.leadership import BEATS_PER_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.events import Event, Step
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.ports import ReplicaLog
    from laura_fast.node.replication.tasks import Tasks


class Steps:
    """The one place where the machine takes its steps. Belongs to one event loop.

    Attributes:
        configuration: The newest on disk; the machine's may be on its way there.
    """

    def __init__(
        self,
        machine: Election,
        replica_log: ReplicaLog,
        clock: Clock,
        timeout_s: float,
        *,
        tasks: Tasks,
        act: Callable[[Step], None],
        withdraw: Callable[[], None],
    ) -> None:
        """Prepares.

        Args:
            machine: Takes them.
            replica_log: Keeps the ballot and the configuration.
            clock: To measure time with.
            timeout_s: Of elections.
            tasks: In which steps go to the disk, whoever waits for them.
            act: Does what a step asks for, once that is kept; it may not wait.
            withdraw: Ends what a step left behind, before its ballot is kept; it may not wait.
        """
        self.configuration: Configuration = machine.configuration
        self._machine = machine
        self._log = replica_log
        self._clock = clock
        self._tasks = tasks
        self._act = act
        self._withdraw = withdraw
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._asleep_until = 0.0

    def now(self) -> float:
        """Seconds, of the machine's time."""
        return self._clock.monotonic()

    async def take(self, event: Event) -> Step:
        """Takes a step and acts on it.

        A step that is taken goes to its end, whatever becomes of the caller: calls are cancelled when the other side
        gives up, and what the machine knows must be kept and acted on all the same.

        The machine learns first where the log ends: a beat may have reported an entry whose `LogGrew` still waits for
        its turn, and whoever voted without it would elect a primary that lacks what a majority was counted for.
        """
        kept = None
        await self._turn.acquire()
        try:
            self._machine.step(events.LogGrew(self._log.last))
            step = self._machine.step(event)
            if step.ballot:
                self._withdraw()
            if step.ballot or step.configuration:
                kept = self._tasks.spawn(self._keep(step))
            else:
                self._finish(step)
        finally:
            if kept:
                kept.add_done_callback(lambda _: self._turn.release())
            else:
                self._turn.release()
        if kept:
            await asyncio.shield(kept)
        return step

    async def _keep(self, step: Step) -> None:
        if step.ballot:
            await self._log.keep_ballot(step.ballot)
        if step.configuration:
            await self._log.keep_configuration(step.configuration)
            self.configuration = step.configuration
        self._finish(step)

    def _finish(self, step: Step) -> None:
        self._act(step)
        if self._machine.wake_at < self._asleep_until:
            self._woken.set()

    async def learn(self, configuration: Configuration) -> None:
        """Takes another member's configuration if it is newer than ours."""
        if configuration.stamp > self.configuration.stamp:
            await self.take(events.Reconfigured(self.now(), configuration))

    def note(self, event: Event) -> None:
        """Takes an event that changes no term and no role, so that it need not wait for anybody's disk."""
        self._machine.step(event)

    async def keep_time(self) -> None:
        """Ticks when the machine wants it. Runs until it is cancelled."""
        while True:
            self._woken.clear()
            delay = self._machine.wake_at - self.now()
            if self._is_stalled():
                delay = self._timeout_s
                if self._machine.role is Role.PRIMARY:
                    await self.take(events.Stalled(self.now()))
            elif delay <= 0:
                await self.take(events.Ticked(self.now()))
                continue
            pause = min(delay, self._timeout_s / BEATS_PER_TIMEOUT)
            self._asleep_until = self.now() + pause
            with contextlib.suppress(TimeoutError):  # `wait_for` would lose a cancellation that meets the event
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _is_stalled(self) -> bool:
        """Whether our disk is silent for longer than a primary may be: this member leads nothing, nor tries to."""
        return self._log.waits_s(asyncio.get_running_loop().time()) >= self._timeout_s
