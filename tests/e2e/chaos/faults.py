"""What happens to the set: one fault after the other, each over and recovered from before the next."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.e2e.chaos.members import NAMES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.e2e.chaos.load import Load
    from tests.e2e.chaos.members import Members

RECOVERY_S = 120.0
"""Within which a fault that is over must have left no trace, on a machine that others use too."""
SHORTEST_CALM_S, LONGEST_CALM_S = 1.0, 5.0
AGAINST_PRIMARY = 0.6
"""Share of the faults."""


@dataclass(frozen=True)
class Fault:
    """One that was made.

    Attributes:
        kind: A key of `KINDS`.
        victim: The member.
        primary: Whether it was primary then.
        at_s: Seconds since the run began.
        held_s: How long it lasted.
        writes_per_s: Acknowledged while all was calm before it.
        moved: Whether another term began because of it.
        failover_s: From its beginning to the first answer to a write begun later.
        recovered_s: From its end until all members were level again.
    """

    kind: str
    victim: str
    primary: bool
    at_s: float
    held_s: float
    writes_per_s: float
    moved: bool
    failover_s: float
    recovered_s: float


class Chaos:
    """Makes faults."""

    def __init__(self, members: Members, load: Load, seed: object) -> None:
        self.made: list[Fault] = []
        self._members = members
        self._load = load
        self._random = Random(f"{seed} faults")  # noqa: S311 - test data
        self._began = self._at = time.monotonic()

    async def settle(self) -> float:
        """Waits until all members are level and follow one primary; how many seconds it took.

        Raises:
            AssertionError: They are not within `RECOVERY_S`.
        """
        began = time.monotonic()
        while True:
            views = await self._members.views()
            primaries = {(view.primary_id, view.term) for view in views.values()}
            leading = views.get(next(iter(primaries))[0]) if len(primaries) == 1 else None
            lags = [each.lag_entries for each in leading.members if each.HasField("lag_entries")] if leading else []
            if len(views) == len(lags) == len(NAMES) and max(lags) < LEVEL_ENTRIES:
                return time.monotonic() - began
            assert time.monotonic() < began + RECOVERY_S, f"not level within {RECOVERY_S} s: {views}"
            await asyncio.sleep(0.1)

    async def make(self, kind: str) -> Fault:
        """Waits a little, makes one fault of this kind, and waits until it is over."""
        began = time.monotonic()
        await asyncio.sleep(self._random.uniform(SHORTEST_CALM_S, LONGEST_CALM_S))
        primary, term = await self._members.primary()
        others = [name for name in NAMES if name != primary]
        hit = kind == "step-down" or self._random.random() < AGAINST_PRIMARY
        victim = primary if hit else self._random.choice(others)
        calm_over = time.monotonic()
        rate = self._load.tally.answered_between(began, calm_over) / (calm_over - began)
        self._struck()
        await KINDS[kind](self, victim)
        at, over = self._at, time.monotonic()
        recovered_s = await self.settle()
        fault = Fault(
            kind=kind,
            victim=victim,
            primary=hit,
            at_s=at - self._began,
            held_s=over - at,
            writes_per_s=rate,
            moved=(await self._members.primary())[1] != term,
            failover_s=await self._answered(at) - at,
            recovered_s=recovered_s,
        )
        self.made.append(fault)
        return fault

    async def _answered(self, at: float) -> float:
        """When a write was answered again."""
        while (first := self._load.tally.first_answer(at)) == math.inf:
            assert time.monotonic() < at + 2 * RECOVERY_S, "no write is answered any more"
            await asyncio.sleep(0.05)
        return first

    def _struck(self) -> None:
        """The fault has its effect from now on."""
        self._at = time.monotonic()

    async def _kill(self, victim: str) -> None:
        await asyncio.to_thread(self._members.kill, victim)
        self._struck()
        await asyncio.sleep(self._random.uniform(0.1, 4.0))
        await asyncio.to_thread(self._members.start, victim)

    async def _stop(self, victim: str) -> None:
        self._members.stop(victim)
        self._struck()
        await asyncio.sleep(self._random.choice((0.3, 1.0, 3.0, 5.0)) * self._random.uniform(0.5, 1.0))
        self._members.resume(victim)

    async def _isolate(self, victim: str) -> None:
        for other in self._others(victim):
            self._members.links.cut(victim, other)
            self._members.links.cut(other, victim)
        await self._cut_time()

    async def _deafen(self, victim: str) -> None:
        for other in self._others(victim):
            self._members.links.cut(other, victim)
        await self._cut_time()

    async def _mute(self, victim: str) -> None:
        for other in self._others(victim):
            self._members.links.cut(victim, other)
        await self._cut_time()

    async def _cut_pair(self, victim: str) -> None:
        other = self._random.choice(self._others(victim))
        self._members.links.cut(victim, other)
        if self._random.random() < 0.5:
            self._members.links.cut(other, victim)
        await self._cut_time()

    async def _cut_time(self) -> None:
        self._struck()
        await asyncio.sleep(self._random.uniform(0.3, 5.0))
        self._members.links.mend()

    async def _reset(self, victim: str) -> None:
        for other in self._others(victim):
            self._members.links.reset(victim, other)

    async def _step_down(self, victim: str) -> None:
        await self._members.step_down(victim)

    def _others(self, victim: str) -> list[str]:
        return [name for name in NAMES if name != victim]


KINDS: dict[str, Callable[[Chaos, str], Awaitable[None]]] = {
    "kill -9": Chaos._kill,
    "SIGSTOP": Chaos._stop,
    "isolated": Chaos._isolate,
    "hears nobody": Chaos._deafen,
    "heard by nobody": Chaos._mute,
    "one link cut": Chaos._cut_pair,
    "connections reset": Chaos._reset,
    "step-down": Chaos._step_down,
}
LEVEL_ENTRIES = 20
"""Behind the primary, as it last heard: what writes that go on add between two reports."""
