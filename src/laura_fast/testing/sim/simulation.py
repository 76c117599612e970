"""One run: a replica set, its clients and its faults, all from one seed.

First there are faults, and nothing may ever be wrong (safety). Then they stop, and within a bounded time there must be
one primary again, every member must hold the same, and every client must be answered (liveness).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

from laura_fast.testing.sim.clients import Client
from laura_fast.testing.sim.engines import Documents, Lists
from laura_fast.testing.sim.history import History, UndecidedError
from laura_fast.testing.sim.journal import ViolationError, failed_tasks
from laura_fast.testing.sim.knobs import Knobs
from laura_fast.testing.sim.world import World

if TYPE_CHECKING:
    from laura_fast.testing.sim.engines import Engine

ENGINES: Final[dict[str, Engine]] = {"lists": Lists(), "documents": Documents()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Attributes:
        seed: Of it.
        engine: What its members kept their logs in.
        events: See `Journal`.
        faults: How many were injected.
        commits: How many entries were committed.
        elections: How many terms had a primary.
        seconds: How long it took in its own time.
        counts: See `Journal`.
        fingerprint: Of everything that happened, and of how it ended.
        violation: What was wrong; "" = nothing.
        undecided: The search through the history was given up.
        lines: The events as text, where they were kept.
    """

    seed: int
    engine: str
    events: int
    faults: int
    commits: int
    elections: int
    seconds: float
    counts: dict[str, int]
    fingerprint: int
    violation: str = ""
    undecided: bool = False
    lines: tuple[str, ...] = ()


class Simulation(World):
    """The run of one seed."""

    def __init__(self, seed: int, engine: str = "lists", *, keep: bool = False) -> None:
        """Prepares.

        Args:
            seed: Of everything that is drawn.
            engine: What members keep their logs in; see `ENGINES`.
            keep: Whether to keep the events as text.
        """
        dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
        super().__init__(Knobs.draw(dice), dice, ENGINES[engine], keep=keep)
        self.seed = seed
        self.history = History()
        self.client_ids = [f"c{number}" for number in range(1, self.knobs.clients + 1)]
        self._engine_name = engine

    # --- the run ------------------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Runs it to its end, or to the first violation."""
        violation, undecided = "", False
        try:
            with failed_tasks(self.loop.fail):
                self.loop.run_until_complete(self._run())
                undecided = self._judge()
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the finding
            violation = str(error) if isinstance(error, ViolationError) else f"{type(error).__name__}: {error}"
        finally:
            self.close()
        return self._outcome(violation, undecided=undecided)

    async def _run(self) -> None:
        for each in self.ids:
            self.start(each)
        clients = [Client(self, each) for each in self.client_ids]
        running = [asyncio.create_task(client.run()) for client in clients]
        await self.until(lambda: any(life.member.leads for life in self.lives.values()), "the first primary")
        await self.faults.run()
        self.faults.heal()
        healed = self.loop.time()
        await self.until(lambda: all(client.succeeded > healed for client in clients), "every client is answered")
        for client in clients:
            client.stopped = True
        await asyncio.gather(*running)
        await self.until(self.agree, "one member leads and all hold the same")

    def _judge(self) -> bool:
        """Looks at how it ended; whether the search through the history was given up."""
        for each in self.ids:
            self.check_applied(each)
        try:
            strange = self.history.strange()
        except UndecidedError:
            return True
        if strange:
            raise ViolationError(f"the history of {strange} is not linearizable")
        return False

    def _outcome(self, violation: str, *, undecided: bool) -> Outcome:
        journal = self.journal
        ending = repr([self.safety.logs[each] for each in self.ids]).encode()
        return Outcome(
            seed=self.seed,
            engine=self._engine_name,
            events=journal.events,
            faults=journal.counts["fault"],
            commits=len(self.safety.committed),
            elections=self.safety.terms_led,
            seconds=round(self.loop.time(), 3),
            counts=dict(journal.counts),
            fingerprint=crc32(ending, journal.fingerprint),
            violation=violation,
            undecided=undecided,
            lines=tuple(journal.lines or ()),
        )


def run(seed: int, engine: str = "lists", *, keep: bool = False) -> Outcome:
    """Runs a seed."""
    return Simulation(seed, engine, keep=keep).run()
