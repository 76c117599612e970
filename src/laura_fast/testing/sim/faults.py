"""Faults: what begins at random, and how each of them ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from laura_fast.errors import RpcError
from laura_fast.testing.sim.changes import Changes
from laura_fast.testing.sim.directories import incomplete, tolerates
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import Weather
from laura_fast.testing.sim.loop import NOWHERE, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from laura_fast.testing.sim.life import Life
    from laura_fast.testing.sim.world import World

HOUR_MS: Final = 3_600_000
FLAP_S: Final = 0.1
Cut = set[tuple[str, str]]


class Faults:
    """Of one run."""

    def __init__(self, world: World) -> None:
        self.over = False
        self._begun = False
        self._world = world
        self._dice = world.dice
        self._cuts: list[Cut] = []
        self._changes = Changes(world)
        self._begin: dict[str, Callable[[], None]] = {
            "bad network": self._bad_network,
            "partition": self._partition,
            "one-way cut": self._one_way,
            "isolated primary": self._isolated_primary,
            "flapping link": self._flapping,
            "stuck streams": self._stuck_streams,
            "crash": self._crash,
            "crash at a point": self._crash_at_a_point,
            "crash of all": self._crash_of_all,
            "pause": self._pause,
            "slow disk": self._slow_disk,
            "failing disk": self._failing_disk,
            "clock step": self._clock_step,
            "step-down": self._step_down,
            "forced step-down": lambda: self._step_down(force=True),
            "hasty candidate": self._hasty_candidate,
            "reconfiguration": self._changes.begin,
        }
        if world.engine.copies:
            self._begin["lost directory"] = self._lose_directory

    async def run(self) -> None:
        """Injects as many as the seed wants, one after the other; they overlap."""
        self._begun, knobs = True, self._world.knobs
        kinds = [kind for kind in knobs.kinds if kind in self._begin] or ["crash"]
        for _ in range(knobs.faults):
            await asyncio.sleep(self._dice.random() * knobs.gap_s)
            kind = self._dice.choice(kinds)
            self._world.journal.happened("fault", kind)
            self._world.journal.count(f"fault: {kind}")
            self._begin[kind]()

    def heal(self) -> None:
        """Ends every fault; whoever is dead starts again."""
        self.over = True
        world = self._world
        world.network.weather = Weather()
        self._cuts.clear()
        self._cut()
        world.network.stuck.clear()
        world.stalls.clear()
        for each in world.ids:
            life = world.lives.get(each)
            if life:
                life.doomed, life.disk.failing = "", False
                world.loop.resume(life.process)
            else:
                world.start(each)

    def died(self, member_id: str) -> None:
        """A dead member comes back: amid faults after a while, behind them at once, before them when it is told to."""
        if self.over:
            self._world.start(member_id)
        elif self._begun:
            after_s = self._dice.random() * self._dice.choice((0.3, 1, 3)) * TIMEOUT_S
            self._later(after_s, lambda: self._world.start(member_id))

    # --- the network --------------------------------------------------------------------------------------------------

    def _bad_network(self) -> None:
        world, knobs = self._world, self._world.knobs
        world.network.weather = Weather(knobs.loss, knobs.repeat, knobs.slowest_s)
        self._later(self._duration(), lambda: setattr(world.network, "weather", Weather()))

    def _partition(self) -> None:
        ids = [*self._world.ids, *self._world.client_ids]
        side = self._some(ids)
        self._cut_for_a_while({(one, other) for one in ids for other in ids if (one in side) != (other in side)})

    def _one_way(self) -> None:
        one, ids = self._member(), self._world.ids
        others = [each for each in ids if each != one and self._dice.random() < 0.7]  # noqa: PLR2004 - most
        outwards = self._dice.random() < 0.5  # noqa: PLR2004 - half
        self._cut_for_a_while({(one, other) if outwards else (other, one) for other in others})

    def _isolated_primary(self) -> None:
        one = self._member()
        self._cut_for_a_while(_around(one, self._world.ids))

    def _flapping(self) -> None:
        one = self._member()
        other = self._dice.choice([each for each in self._world.ids if each != one])
        for number in range(self._dice.randrange(4, 16)):
            self._later(2 * number * FLAP_S, lambda: self._cut_for_a_while({(one, other), (other, one)}, FLAP_S))

    def _stuck_streams(self) -> None:
        some, stuck = self._some(self._world.ids), self._world.network.stuck
        stuck.update(some)
        self._later(self._duration(), lambda: stuck.difference_update(some))

    def _cut_for_a_while(self, cut: Cut, seconds: float = 0.0) -> None:
        self._cuts.append(cut)
        self._cut()
        self._later(seconds or self._duration(), lambda: self._mend(cut))

    def _mend(self, cut: Cut) -> None:
        self._cuts = [each for each in self._cuts if each is not cut]
        self._cut()

    def _cut(self) -> None:
        self._world.network.cut = set().union(*self._cuts)

    # --- processes ----------------------------------------------------------------------------------------------------

    def _crash(self) -> None:
        if life := self._life():
            self._world.crash(life, "killed")

    def _crash_at_a_point(self) -> None:
        if life := self._life():
            self._world.doom(life, self._dice.choice(self._world.engine.points))

    def _crash_of_all(self) -> None:
        for life in list(self._world.lives.values()):
            self._world.crash(life, "killed")

    def _pause(self) -> None:
        life = self._life()
        if life and life.process.state is State.RUNNING:
            life.process.state = State.PAUSED
            self._later(self._dice.choice((0.1, 1.2, 3.0)) * TIMEOUT_S, lambda: self._world.loop.resume(life.process))

    def _step_down(self, *, force: bool = False) -> None:
        life = self._life()
        if life and life.member.leads:
            self._world.loop.create_task(_step_down(life, force=force), context=life.process.context)

    def _hasty_candidate(self) -> None:
        """A member runs for election at once, though the primary is well, and not everybody hears of it."""
        world = self._world
        others = [life for life in world.lives.values() if not life.member.leads]
        if others:
            life = self._dice.choice(others)
            self._cut_for_a_while({(life.id, other) for other in self._some(world.ids) if other != life.id})
            run = life.member.run_now(life.member.term, "hasty")
            world.loop.create_task(run, context=life.process.context)

    # --- disks and clocks ---------------------------------------------------------------------------------------------

    def _slow_disk(self) -> None:
        stalls, duration = self._world.stalls, self._duration()
        for one in self._some(self._world.ids) or [self._member()]:
            stalls[one] = self._world.knobs.stall_s
            self._later(duration, lambda one=one: stalls.pop(one, None))  # type: ignore[misc]  # one is what it is now

    def _failing_disk(self) -> None:
        if life := self._life():
            life.disk.failing = True

    def _lose_directory(self) -> None:
        """Everything on a disk is gone, if the set can bear that in every configuration that may be in force."""
        world, member_id = self._world, self._member()
        known = {world.configuration(each) for each in world.ids} | {*self._changes.proposed}
        missing = incomplete(world) | {member_id}
        if all(tolerates(each, missing) for each in known):
            world.lose_directory(member_id)

    def _clock_step(self) -> None:
        steps = self._world.clock_steps
        steps[self._member()] += self._dice.choice((-HOUR_MS, -1000, 1000, HOUR_MS))

    # --- common -------------------------------------------------------------------------------------------------------

    def _member(self) -> str:
        """Whom it hits: the primary as often as everybody else together."""
        leading = [each for each, life in self._world.lives.items() if life.member.leads]
        if leading and self._dice.random() < 0.5:  # noqa: PLR2004 - half
            return leading[-1]
        return self._dice.choice(self._world.ids)

    def _some(self, ids: list[str]) -> list[str]:
        """Each of them with a chance of a half."""
        return [each for each in ids if self._dice.random() < 0.5]  # noqa: PLR2004 - half

    def _life(self) -> Life | None:
        return self._world.lives.get(self._member())

    def _duration(self) -> float:
        return self._dice.choice((0.3, 1.5, 3.0)) * self._dice.random() * TIMEOUT_S

    def _later(self, seconds: float, end: Callable[[], object]) -> None:
        self._world.loop.call_later(seconds, self._end, end, context=NOWHERE)

    def _end(self, end: Callable[[], object]) -> None:
        if not self.over:
            end()


async def _step_down(life: Life, *, force: bool) -> None:
    with contextlib.suppress(RpcError):
        await life.member.step_down(TIMEOUT_S, force=force)


def _around(one: str, ids: Iterable[str]) -> Cut:
    return {pair for other in ids if other != one for pair in ((one, other), (other, one))}
