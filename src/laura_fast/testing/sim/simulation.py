"""One run: a replica set, its clients and its faults, all from one seed.

First there are faults, and nothing may ever be wrong (safety). Then they stop, and within a bounded time there must be
one primary again, every member must hold the same, and every client must be answered (liveness).
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from laura_fast.storage import crash_points
from laura_fast.testing.sim.clients import Client
from laura_fast.testing.sim.disks import DiedError
from laura_fast.testing.sim.engines import Documents, Lists
from laura_fast.testing.sim.faults import Faults
from laura_fast.testing.sim.history import History, UndecidedError
from laura_fast.testing.sim.journal import Journal, ViolationError, failed_tasks
from laura_fast.testing.sim.knobs import TIMEOUT_S, Knobs
from laura_fast.testing.sim.life import Life
from laura_fast.testing.sim.links import Network
from laura_fast.testing.sim.loop import State, VirtualLoop, current
from laura_fast.testing.sim.safety import Safety

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.testing.sim.engines import Engine

ENGINES: Final[dict[str, Engine]] = {"lists": Lists(), "documents": Documents()}
CONVERGES_S: Final = 25 * TIMEOUT_S
"""How long after the last fault everything must be well again: a few elections that come to nothing, with the calls
that ran into the last faults, and a pause until then."""
LOOK_S: Final = 0.1


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


class Simulation:
    """The run of one seed.

    Attributes:
        lives: Members that run, or are paused, by id.
        stalls: What a sync takes on slow disks, by member.
        clock_steps: By how many milliseconds each member's date is off.
    """

    def __init__(self, seed: int, engine: str = "lists", *, keep: bool = False) -> None:
        """Prepares.

        Args:
            seed: Of everything that is drawn.
            engine: What members keep their logs in; see `ENGINES`.
            keep: Whether to keep the events as text.
        """
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.knobs = Knobs.draw(self.dice)
        self.loop = VirtualLoop()
        self.journal = Journal(self.loop, keep=keep)
        self.network = Network(self.loop, self.dice, self.journal)
        self.safety = Safety(self.knobs.members)
        self.history = History()
        self.engine = ENGINES[engine]
        self.ids = [member.id for member in self.knobs.members.members]
        self.client_ids = [f"c{number}" for number in range(1, self.knobs.clients + 1)]
        self.lives: dict[str, Life] = {}
        self.stalls: dict[str, float] = {}
        self.clock_steps: dict[str, int] = defaultdict(int)
        self._engine_name = engine
        self._files = {each: self.engine.files() for each in self.ids}
        self._dead: list[Life] = []
        self._faults = Faults(self)

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
            crash_points.arm(None)
            self.loop.close()
        return self._outcome(violation, undecided=undecided)

    async def _run(self) -> None:
        for each in self.ids:
            self.start(each)
        clients = [Client(self, each) for each in self.client_ids]
        running = [asyncio.create_task(client.run()) for client in clients]
        await self._until(lambda: any(life.member.leads for life in self.lives.values()), "the first primary")
        await self._faults.run()
        self._faults.heal()
        healed = self.loop.time()
        await self._until(lambda: all(client.succeeded > healed for client in clients), "every client is answered")
        for client in clients:
            client.stopped = True
        await asyncio.gather(*running)
        await self._until(self._agree, "one member leads and all hold the same")

    async def _until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = self.loop.time() + CONVERGES_S
        while not reached():
            if self.loop.time() > deadline:
                raise ViolationError(f"not within {CONVERGES_S:g} s without faults: {what}")
            await asyncio.sleep(LOOK_S)

    def _agree(self) -> bool:
        leading = [life for life in self.lives.values() if life.member.leads]
        if len(leading) != 1 or len(self.lives) < len(self.ids):
            return False
        configuration, log = leading[0].member.configuration, self.safety.logs[leading[0].id]
        members = [self.lives[member.id] for member in configuration.members]
        return all(
            self.safety.logs[life.id] == log
            and life.store.commit_point == len(log)
            and life.member.configuration == configuration
            for life in members
        )

    def _judge(self) -> bool:
        """Looks at how it ended; whether the search through the history was given up."""
        for each in self.ids:
            self._check_applied(each)
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

    # --- members ------------------------------------------------------------------------------------------------------

    def start(self, member_id: str) -> None:
        """A member starts on what its disk holds, unless it runs."""
        if member_id in self.lives:
            return
        self.journal.happened("start", member_id)
        self._check_applied(member_id)
        life = self.lives[member_id] = Life(self, member_id, self._files[member_id])
        self.network.servers[member_id] = life.process, life.serve
        self.loop.create_task(life.start(), context=life.process.context)

    def crash(self, life: Life, how: str) -> None:
        """A member is dead at once; of a sync that was on its way, nobody knows what became."""
        if life.process.state is State.DEAD:
            return
        self.journal.happened("crash", life.id, how)
        life.process.state = State.DEAD
        del self.lives[life.id], self.network.servers[life.id]
        self._dead.append(life)  # its tasks end with the run: what they would do when collected must not happen now
        life.disk.lose_power(synced=self.dice.random() < 0.5)  # noqa: PLR2004 - nobody knows
        if not self._faults.over:
            self._faults.restart_later(life.id)
        else:
            self.start(life.id)

    def sync_s(self, member_id: str) -> float:
        """What the next sync of this member takes."""
        slowest = self.stalls.get(member_id, self.knobs.sync_s)
        return 0.0005 + self.dice.random() * slowest

    def wall_ms(self, member_id: str) -> int:
        """The date by a member's clock."""
        return self.loop.wall_ms() + self.clock_steps[member_id]

    def doom(self, life: Life, point: str) -> None:
        """A member is to die when it next passes a named crash point."""
        life.doomed = point
        crash_points.arm(self._reached)

    def _reached(self, point: str) -> None:
        process = current.get()
        life = next((life for life in self.lives.values() if life.process is process), None)
        if life and life.doomed == point:
            life.doomed = ""
            self.journal.count(f"crash at {point}")
            raise DiedError(point)

    # --- rules --------------------------------------------------------------------------------------------------------

    def watch(self, rule: Callable[..., None], *given: Any) -> None:
        """Looks at a rule; where it is broken the run ends, whoever would catch the error."""
        try:
            rule(*given)
        except ViolationError as error:
            self.loop.fail(error)

    def disk_changed(self, life: Life) -> None:
        """Files of a member have changed."""
        self.journal.happened("synced", life.id)
        self.watch(self._look_at_disk, life)

    def _look_at_disk(self, life: Life) -> None:
        engine, files = self.engine, self._files[life.id]
        self.safety.ballot_kept(life.id, engine.ballot(files))
        known, last = self.safety.logs[life.id], engine.last_id(files)
        kept = min(last, len(known))
        found = engine.entries(files, max(1, kept))
        while kept and found[0] != known[kept - 1]:
            kept -= 1
            found = engine.entries(files, max(1, kept))
        leads = life.member.leads and life.process.state is not State.DEAD
        self.safety.log_changed(life.id, kept, found[1:] if kept else found, leads=leads)

    def _check_applied(self, member_id: str) -> None:
        files, engine = self._files[member_id], self.engine
        if engine.registers(files) != engine.replayed(self.safety.logs[member_id]):
            raise ViolationError(f"what {member_id} applied is not what its log says")


def run(seed: int, engine: str = "lists", *, keep: bool = False) -> Outcome:
    """Runs a seed."""
    return Simulation(seed, engine, keep=keep).run()
