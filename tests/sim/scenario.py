"""What scenarios by hand stand on: the members of `testing.sim`, and clients that send them functions to run."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.members import Configuration, ReplicaMember
from laura_fast.testing.sim.engines import Documents
from laura_fast.testing.sim.journal import failed_tasks
from laura_fast.testing.sim.knobs import TIMEOUT_S, Knobs
from laura_fast.testing.sim.life import Life
from laura_fast.testing.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from laura_fast.testing.sim.engines import Engine

Value = TypeVar("Value")
CLIENT: Final = "client"
PATIENCE_S: Final = 2 * TIMEOUT_S
SIZE: Final = 3
FAULTS: Final = 25
GAP_S: Final = 1.5 * TIMEOUT_S
"""Between two of them, at most: clients get something done meanwhile."""
OTHER_SCENARIOS: Final = {"clock step", "reconfiguration", "lost directory"}
"""Faults that change what is asked of a set, and not only what it suffers."""


class Host(Life):
    """A member that runs what clients send."""

    async def serve(self, method: str, given: tuple[Any, ...]) -> Any:
        if method == "run":
            return await given[0](self)
        return await super().serve(method, given)


class Scenario(World):
    """A set of equal members; the test says what happens to it, and the rules of every simulation hold."""

    life_type = Host

    def __init__(self, seed: int, engine: Engine | None = None, size: int = SIZE) -> None:
        """Prepares.

        Args:
            seed: Of everything that is drawn.
            engine: What they keep their logs in; None = the storage engine.
            size: How many members there are.
        """
        dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
        super().__init__(_equal(Knobs.draw(dice), size), dice, engine or Documents())
        self.client_ids = [CLIENT]

    def run(self, program: Coroutine[Any, Any, Value]) -> Value:
        """Runs a program to its end; a broken rule ends it, and so does a task of a member that failed."""
        with failed_tasks(self.loop.fail):
            value: Value = self.loop.run_until_complete(program)
        if self.loop.broken:
            raise self.loop.broken
        return value

    def start_all(self) -> None:
        """Whoever does not run starts."""
        for each in self.ids:
            self.start(each)

    async def begin(self) -> Life:
        """Everybody starts; the first primary."""
        self.start_all()
        await self.until(lambda: any(life.member.leads for life in self.lives.values()), "the first primary")
        return self.primary

    async def ask(
        self, member_id: str, work: Callable[[Any], Coroutine[Any, Any, Value]], patience_s: float = PATIENCE_S
    ) -> Value:
        """Has a member run something, as a client asks for it: question or answer may be lost.

        Raises:
            ClientError: It refused, or there was no answer.
        """
        value: Value = await self.network.call(CLIENT, member_id, "run", (work,), patience_s, once=True)
        return value

    async def suffer(self) -> None:
        """Faults, one after the other and some at once; then everything is well and everybody runs."""
        await self.faults.run()
        self.faults.heal()

    def isolate(self, *member_ids: str) -> None:
        """Nothing passes between these and the others, nor among these."""
        apart = {(one, other) for one in member_ids for other in self.ids if one != other}
        self.network.cut = apart | {(other, one) for one, other in apart}

    @property
    def leading(self) -> list[Life]:
        """Who believes to be primary now."""
        return [life for life in self.lives.values() if life.member.role is Role.PRIMARY]

    @property
    def primary(self) -> Life:
        """The only one of these."""
        [primary] = self.leading
        return primary

    @property
    def secondaries(self) -> list[Life]:
        """All the others."""
        return [life for life in self.lives.values() if life is not self.primary]


def _equal(drawn: Knobs, size: int) -> Knobs:
    members = tuple(ReplicaMember(f"n{number}", f"n{number}:1") for number in range(1, size + 1))
    kinds = tuple(kind for kind in drawn.kinds if kind not in OTHER_SCENARIOS) or ("crash",)
    return replace(
        drawn,
        members=Configuration("rs0", 1, members),
        speeds=(1.0,) * size,
        kinds=kinds,
        faults=FAULTS,
        gap_s=GAP_S,
    )
