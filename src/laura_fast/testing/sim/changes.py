"""Changes of the configuration, as operators make them, amid faults."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication.reconfiguration import with_member, without_member
from laura_fast.errors import RpcError
from laura_fast.testing.sim.directories import incomplete, tolerates

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.testing.sim.life import Life
    from laura_fast.testing.sim.world import World

MIN_MEMBERS: Final = 3
"""With fewer, nobody leaves."""


class Changes:
    """Of one run.

    Attributes:
        proposed: Configurations that a primary was asked for, and that may not be on any disk yet.
    """

    def __init__(self, world: World) -> None:
        self.proposed: list[Configuration] = []
        self._world = world
        self._dice = world.dice

    def begin(self) -> None:
        """Asks the primary for one, if somebody leads."""
        life = next((life for life in self._world.lives.values() if life.member.leads), None)
        if life:
            proposed: list[Configuration] = []
            work = self._change_members(life, partial(self._edit, life.id, proposed), proposed)
            self._world.loop.create_task(work, context=life.process.context)

    async def _change_members(
        self, life: Life, edit: Callable[[Configuration], Configuration], proposed: list[Configuration]
    ) -> None:
        with contextlib.suppress(RpcError):
            changed = await life.member.reconfigure(edit)
            self._world.journal.happened("reconfigured", changed.version, *sorted(changed.voters))
        for configuration in proposed:  # it was refused, or is on a disk by now
            self.proposed.remove(configuration)

    def _edit(self, primary: str, proposed: list[Configuration], configuration: Configuration) -> Configuration:
        """Another configuration, unless it is one that can't do without those who have lost everything."""
        after = self._changed(primary, configuration)
        if not tolerates(after, incomplete(self._world)):
            return configuration
        proposed.append(after)
        self.proposed.append(after)
        return after

    def _changed(self, primary: str, configuration: Configuration) -> Configuration:
        """Somebody leaves, comes back without a vote, gets it back, or has another priority."""
        member = self._dice.choice([each for each in self._world.knobs.members.members if each.id != primary])
        now = configuration.get(member.id)
        if now is None:
            return with_member(configuration, replace(member, votes=False))
        if now.votes != member.votes:
            return with_member(configuration, member)
        if len(configuration.members) >= MIN_MEMBERS and self._dice.random() < 0.5:  # noqa: PLR2004 - half
            return without_member(configuration, member.id)
        return with_member(configuration, replace(now, priority=self._dice.randrange(3)))
