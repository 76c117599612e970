"""A simulated replica set: members that run, crash and come back with what was on their disk."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.members import Configuration, ReplicaMember
from laura_fast.errors import RpcError
from laura_fast.node.replication.driver import ReplicaSet
from laura_fast.testing.sim.network import Network, SimulatedPeers, Weather

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.node.replication.ports import ReplicaLog
    from laura_fast.testing.sim.loop import VirtualLoop

TIMEOUT_S: Final = 1.0


class CrashableLog(Protocol):
    """A log of one life of a member."""

    def crash(self) -> None:
        """Nothing that is not on disk yet will ever be."""


Log = TypeVar("Log", bound="CrashableLog")


class Group(Generic[Log]):
    """The members.

    Attributes:
        dice: Of everything that is drawn.
        network: Between them.
        logs: Of the members that run, by id.
        primaries: Who led each term.
    """

    def __init__(self, seed: int, size: int, open_log: Callable[[str, random.Random], Log], spares: int = 0) -> None:
        """Prepares.

        Args:
            seed: Of the dice.
            size: How many members.
            spares: How many more run that are no members yet.
            open_log: The log of a member that starts, on what its last life left on disk.
        """
        self.dice = random.Random(seed)  # noqa: S311  # reproducible on purpose
        self.network = Network(self.dice)
        self.ids = [f"n{number}" for number in range(1, size + spares + 1)]
        self.logs: dict[str, Log] = {}
        self.primaries: dict[int, str] = {}
        self._open_log = open_log
        members = tuple(ReplicaMember(each, f"{each}:1") for each in self.ids[:size])
        self._configuration = Configuration("rs0", 1, members)

    async def start(self, loop: VirtualLoop, as_replica_log: Callable[[Log], ReplicaLog]) -> None:
        """Starts every member that does not run."""
        for each in self.ids:
            if each not in self.network.members:
                log = self.logs[each] = self._open_log(each, self.dice)
                peers = SimulatedPeers(self.network, each)
                jitter = self.dice.random
                replica_log = as_replica_log(log)
                first = self._configuration if self._configuration.get(each) else Configuration.unknown("rs0")
                known = replica_log.configuration() or first
                member = ReplicaSet(each, known, replica_log, peers, loop, timeout_s=TIMEOUT_S, jitter=jitter)
                member.on_change = lambda member=member: self._check(member)  # type: ignore[misc]
                self.network.members[each] = member
                await member.start()

    async def crash(self, member_id: str) -> None:
        """A member is gone, and with it what was not on its disk."""
        if member := self.network.members.pop(member_id, None):
            self.logs.pop(member_id).crash()
            await member.stop()

    async def disturb(self) -> None:
        """One random change for the worse, or for the better."""
        dice, network = self.dice, self.network
        match dice.randrange(4):
            case 0:
                loss, slowest_s = dice.choice([0.0, 0.1, 0.3]), dice.choice([0.005, 0.05, 0.5])
                network.weather = Weather(loss, dice.choice([0.0, 0.2]), slowest_s)
            case 1:
                pairs = [(one, other) for one in self.ids for other in self.ids if one != other]
                network.cut = set(dice.sample(pairs, dice.randrange(len(pairs))))
            case 2:
                await self.crash(dice.choice(self.ids))
            case _:
                network.counts["step-downs"] += 1
                for member in self.leading[:1]:
                    with contextlib.suppress(RpcError):  # elected, and not yet in office
                        await member.step_down(TIMEOUT_S, force=dice.random() < 0.5)  # noqa: PLR2004

    def heal(self) -> None:
        """The network is good again."""
        self.network.weather, self.network.cut = Weather(), set()

    async def stop(self) -> None:
        """Ends everybody."""
        for each in self.ids:
            await self.crash(each)
        await asyncio.sleep(0)

    @property
    def leading(self) -> list[ReplicaSet]:
        """Who believes to be primary now."""
        return [member for member in self.network.members.values() if member.role is Role.PRIMARY]

    def _check(self, member: ReplicaSet) -> None:
        """Election safety."""
        if member.role is Role.PRIMARY and self.primaries.setdefault(member.term, member.me) != member.me:
            raise AssertionError(f"two primaries in term {member.term}: {member.me}, {self.primaries[member.term]}")
