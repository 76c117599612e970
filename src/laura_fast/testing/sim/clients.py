"""Clients that write and read registers all the time, and remember what they were told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication.events import Role
from laura_fast.errors import RemoteError, UnreachableError
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import RefusedConnectionError

if TYPE_CHECKING:
    from laura_fast.testing.sim.simulation import Simulation

PATIENCE_S: Final = 1.5 * TIMEOUT_S
BACK_OFF_S: Final = 0.3 * TIMEOUT_S
BLIND: Final = 0.2
"""Share of requests that go to any member, whatever it believes to be."""


class Client:
    """One of them.

    Attributes:
        id: In the network.
        succeeded: When it last got an answer.
    """

    def __init__(self, world: Simulation, client_id: str) -> None:
        self.id = client_id
        self.succeeded = -1.0
        self.stopped = False
        self._world = world
        self._values = 0

    async def run(self) -> None:
        """Asks, until `stopped` is set."""
        world = self._world
        while not self.stopped:
            await asyncio.sleep(world.dice.random() * world.knobs.think_s)
            target = self._target()
            if target and not await self._ask(target):
                await asyncio.sleep(BACK_OFF_S)

    def _target(self) -> str:
        """Somebody who believes to be primary, whether it is or not."""
        dice, lives = self._world.dice, self._world.lives
        leading = [each for each, life in lives.items() if life.member.role is Role.PRIMARY]
        if dice.random() < BLIND or not leading:
            leading = list(lives)
        return dice.choice(leading) if leading else ""

    async def _ask(self, target: str) -> bool:
        """One request; whether it was answered."""
        world = self._world
        register = f"r{world.dice.randrange(world.knobs.registers)}"
        value = None if world.dice.random() < world.knobs.reads else self._value()
        call = world.history.begin(register, value, writes=value is not None)
        world.journal.happened("asked", self.id, target, register, value)
        method, given = ("read", (register,)) if value is None else ("write", (register, value))
        try:
            found = await world.network.call(self.id, target, method, given, PATIENCE_S, once=True)
        except (RemoteError, UnreachableError) as error:
            if _refused(error):
                world.history.refuse(call)
            world.journal.happened("refused" if _refused(error) else "unknown", self.id)
        else:
            world.history.end(call, found)
            world.journal.happened("answered", self.id, found)
            self.succeeded = world.loop.time()
            return True
        return False

    def _value(self) -> bytes:
        self._values += 1
        return f"{self.id}.{self._values}".encode()


def _refused(error: RemoteError | UnreachableError) -> bool:
    """Whether it is certain that nothing happened."""
    if isinstance(error, RemoteError):
        return error.reason in {"NOT_PRIMARY", "HANDING_OVER"}
    return isinstance(error, RefusedConnectionError)
