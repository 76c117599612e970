"""The members of a replica set in simulation: what runs, what is on their disks, and the rules that watch over both.

Everything that happens by chance is drawn from one source, so the same seed takes the same steps.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.replication.members import Configuration
from laura_fast.storage import crash_points
from laura_fast.testing.sim.disks import DiedError
from laura_fast.testing.sim.faults import Faults
from laura_fast.testing.sim.journal import Journal, ViolationError
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.life import Life
from laura_fast.testing.sim.links import Network
from laura_fast.testing.sim.loop import State, VirtualLoop, current
from laura_fast.testing.sim.safety import Safety

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from laura_fast.testing.sim.engines import Engine
    from laura_fast.testing.sim.knobs import Knobs

CONVERGES_S: Final = 25 * TIMEOUT_S
"""How long after the last fault everything must be well again: a few elections that come to nothing, with the calls
that ran into the last faults, and a pause until then."""
LOOK_S: Final = 0.1


class World:
    """Members, the network between them and their disks.

    Attributes:
        life_type: Of the members' lives.
        dice: Of everything that is drawn.
        ids: Of the members, and of whoever runs beside them to become one.
        client_ids: Of clients, as the network and its faults know them.
        lives: Members that run, or are paused, by id.
        files: What is on each member's disk.
        stalls: What a sync takes on slow disks, by member.
        clock_steps: By how many milliseconds each member's date is off.
        faults: What goes wrong by chance.
    """

    life_type: type[Life] = Life

    def __init__(self, knobs: Knobs, dice: random.Random, engine: Engine, *, keep: bool = False) -> None:
        """Prepares; nobody runs.

        Args:
            knobs: How everything is.
            dice: Of everything that is drawn.
            engine: What members keep their logs in.
            keep: Whether to keep the events as text.
        """
        self.knobs = knobs
        self.dice = dice
        self.engine = engine
        self.loop = VirtualLoop()
        self.journal = Journal(self.loop, keep=keep)
        self.network = Network(self.loop, dice, self.journal)
        self.safety = Safety(knobs.members)
        self.ids = [member.id for member in knobs.members.members]
        self.client_ids: list[str] = []
        self.lives: dict[str, Life] = {}
        self.files: dict[str, Any] = defaultdict(engine.files)
        self.stalls: dict[str, float] = {}
        self.clock_steps: dict[str, int] = defaultdict(int)
        self.faults = Faults(self)
        self._dead: list[Life] = []

    # --- members ------------------------------------------------------------------------------------------------------

    def start(self, member_id: str) -> None:
        """A member starts on what its disk holds, unless it runs."""
        if member_id in self.lives:
            return
        self.journal.happened("start", member_id)
        self.check_applied(member_id)
        life = self.lives[member_id] = self.life_type(self, member_id, self.files[member_id])
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
        self.faults.died(life.id)

    def lose_directory(self, member_id: str) -> None:
        """A member is dead if it was not, and everything on its disk is gone."""
        if life := self.lives.get(member_id):
            self.crash(life, "its directory is lost")
        self.journal.happened("directory lost", member_id)
        self.files[member_id] = self.engine.files()
        self.safety.lost(member_id)

    def first_configuration(self, member_id: str) -> Configuration:
        """The one that a member begins with, on an empty disk."""
        members = self.knobs.members
        return members if members.get(member_id) else Configuration.unknown(members.name)

    def configuration(self, member_id: str) -> Configuration:
        """The one that a member has on disk, or would begin with."""
        return self.engine.configuration(self.files[member_id]) or self.first_configuration(member_id)

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

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends what still runs."""
        crash_points.arm(None)
        self.loop.close()

    async def until(self, reached: Callable[[], bool], what: str) -> None:
        """Waits for something that must come to pass when there are no faults.

        Raises:
            ViolationError: It did not.
        """
        deadline = self.loop.time() + CONVERGES_S
        while not reached():
            if self.loop.time() > deadline:
                raise ViolationError(f"not within {CONVERGES_S:g} s without faults: {what}")
            await asyncio.sleep(LOOK_S)

    def agree(self) -> bool:
        """Whether one member leads, and all hold the same."""
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
        engine, files = self.engine, self.files[life.id]
        self.safety.ballot_kept(life.id, engine.ballot(files))
        if not engine.whole(files):
            self.safety.copies(life.id)
            return
        if life.id in self.safety.copying:
            self.journal.happened("whole", life.id)
            self.safety.copied(life.id, engine.entries(files, 1))
            self.check_applied(life.id)
            return
        known, last = self.safety.logs[life.id], engine.last_id(files)
        kept = min(last, len(known))
        found = engine.entries(files, max(1, kept))
        while kept and found[0] != known[kept - 1]:
            kept -= 1
            found = engine.entries(files, max(1, kept))
        leads = life.member.leads and life.process.state is not State.DEAD
        self.safety.log_changed(life.id, kept, found[1:] if kept else found, leads=leads)

    def check_applied(self, member_id: str) -> None:
        """What a disk's log says is what the registers on it hold, but for half a copy, which is no state at all."""
        files, engine = self.files[member_id], self.engine
        if engine.whole(files) and engine.registers(files) != engine.replayed(self.safety.logs[member_id]):
            raise ViolationError(f"what {member_id} applied is not what its log says")
