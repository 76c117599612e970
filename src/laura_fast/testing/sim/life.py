"""One life of a member: the production log and driver in a process of their own, over files that outlive it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.replication.events import Role
from laura_fast.errors import StorageFailedError
from laura_fast.node.database.concerns import ReadConcern, ReadPreference, WriteConcern
from laura_fast.node.replication.concerns import Shared
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.node.replication.driver import ReplicaSet
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import SimulatedPeers
from laura_fast.testing.sim.loop import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.testing.sim.world import World

COLLECT_S: Final = 1.0
MAJORITY: Final = WriteConcern()
PRIMARY: Final = ReadPreference()


class WatchedLog(DocumentLog):
    """The production log; the rules are looked at when its commit point moves."""

    def __init__(self, life: Life, world: World) -> None:
        super().__init__(life.store, life.save_undone)
        if not world.engine.copies:
            self.copies = None  # it keeps its whole log
        self._life = life
        self._world = world

    def commit(self, op_id: int) -> None:
        super().commit(op_id)
        member = self._life.member
        progress = member.lead().progress if member.leads else None
        if progress is None and member.role is Role.PRIMARY:  # the only voter commits while its office is being made
            self._world.safety.voters = member.configuration.voters
        self._world.watch(self._world.safety.committed_to, self._life.id, op_id, progress)


class Life:
    """What runs from a start to a crash.

    Attributes:
        id: Of the member.
        process: In which everything of it runs.
        doomed: The crash point at which it is to die; "" = none.
        store: What it keeps its documents and its log in.
        disk: Below that.
        log: Its log.
        member: Its part in the replica set.
        shared: That, as clients ask it.
    """

    def __init__(self, world: World, member_id: str, files: Any) -> None:
        self.id = member_id
        self.process = Process()
        self.doomed = ""
        self._world = world
        self.store, self.disk = world.engine.open(
            files,
            lambda: world.wall_ms(member_id),
            world.knobs.batch,
            world.loop,
            self.process,
            sync_s=lambda: world.sync_s(member_id),
            changed=lambda: world.disk_changed(self),
            died=lambda: world.crash(self, "died"),
        )
        timeout_s = TIMEOUT_S / world.knobs.speed(member_id)
        peers = SimulatedPeers(world.network, member_id, timeout_s, self._sends)
        self.log = WatchedLog(self, world)
        self.member = ReplicaSet(
            member_id,
            self.log.configuration() or world.first_configuration(member_id),
            self.log,
            peers,
            world.loop,
            timeout_s=timeout_s,
            jitter=world.dice.random,
        )
        self.member.on_change = self._role_changed
        self.shared = Shared(self.member, self.log.moments, world.loop)

    async def start(self) -> None:
        """Begins, in its process, and lets go of the past now and then."""
        await self.member.start()
        while self._world.engine.collects:
            await asyncio.sleep(self._world.dice.random() * COLLECT_S)
            with contextlib.suppress(StorageFailedError):  # the member dies of it in a moment
                await self.store.collect()

    async def save_undone(self, undone: Sequence[OplogEntry]) -> None:
        """What a rollback takes back."""
        self._world.journal.happened("undone", self.id, len(undone))

    async def serve(self, method: str, given: tuple[Any, ...]) -> Any:
        """Answers other processes."""
        if method == "write":
            return await self._write(*given)
        if method == "read":
            return await self._read(*given)
        answer = await getattr(self.member, method)(*given)
        self._world.watch(self._world.safety.answered, self.id, given[0] if given else None, answer)
        return answer

    async def write(self, job: Callable[[Any], int]) -> int:
        """Runs a job that returns its last op id, as a server does it with a write concern of majority."""
        self.shared.check_write(MAJORITY)
        op_id: int = await self.store.write(job)
        await self.shared.settle(MAJORITY)
        self._world.watch(self._world.safety.acknowledged, self.id, op_id)
        return op_id

    async def _write(self, register: str, value: bytes) -> bytes:
        """Sets a register."""
        await self.write(lambda session: self._world.engine.put(session, register, value))
        return value

    async def _read(self, register: str) -> bytes | None:
        """Reads one, as a server does it with a read concern of linearizable."""
        self.shared.check_read(PRIMARY)
        at = await self.shared.moment(ReadConcern.LINEARIZABLE, 0)
        return self._world.engine.read(self.store, register, at)

    def _sends(self, member_id: str, message: object) -> None:
        self._world.watch(self._world.safety.sent, member_id, message)

    def _role_changed(self) -> None:
        self._world.journal.happened("role", self.id, self.member.role.value, self.member.term)
        self._world.watch(self._world.safety.role_changed, self.member)
