"""A member's initial sync: it copies all documents of the primary, then replays the log until that is one state.

It is complete when the log has the end of the newest state that was copied from, and what the primary's log had when
its first batch came, and so many others know of no later term than that primary's that whatever this member once
acknowledged, or voted for, was not in one: the copy of a deposed primary would lack it, even where the next one goes on
with it. Until then this member does not stand and counts for no write, and it votes only if it had a log
before, by the end of that (see `Election`). Each part is durable with the token to
go on with, so a restart, or another primary, costs what was on its way and no more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.node.replication.messages import Copy
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.events import Event
    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Batch, Copied
    from laura_fast.node.replication.ports import Copies, Peers, ReplicaLog
    from laura_fast.node.replication.tasks import Tasks
    from laura_fast.storage.documents.oplog import OplogEntry

_log = log.get("laura_fast.replication")


class Syncing:
    """The initial sync of one member, if it needs one. Belongs to one event loop.

    Attributes:
        wanted: It needs one.
    """

    def __init__(
        self,
        machine: Election,
        replica_log: ReplicaLog,
        copies: Copies,
        peers: Peers,
        *,
        take: Callable[[Event], Awaitable[object]],
        confirm: Callable[[int], Awaitable[bool]],
        tasks: Tasks,
    ) -> None:
        """Prepares.

        Args:
            machine: Knows what this member acknowledged.
            replica_log: Its log.
            copies: What its documents are copied into.
            peers: The others.
            take: Tells the machine.
            confirm: Whether enough others know of no later term than one, see `greeting.is_confirmed`.
            tasks: In which a sync is ended that is complete.
        """
        self._me = machine.me
        self._machine = machine
        self._log = replica_log
        self._copies = copies
        self._peers = peers
        self._take = take
        self._confirm = confirm
        self._tasks = tasks
        self._ending: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._state = copies.state
        self._source = ("", 0)
        self._needed = 0
        self.wanted = not copies.admitted

    @property
    def copying(self) -> bool:
        """The copy is not complete."""
        return self.wanted and (self._state is None or self._state.consistent is None)

    @property
    def progress(self) -> str:
        """For operators; empty when there is nothing to tell."""
        if not self.wanted:
            return ""
        if self._state is None:
            return "waiting for a primary to copy from"
        copied = f"{self._state.documents:,} documents, {self._state.size:,} bytes copied"
        if self._state.consistent is None:
            return copied
        end = max(self._state.consistent.op_id, self._needed)
        return f"{copied}; replaying the log: {self._log.last.op_id:,} of {end:,}"

    async def go_on(self, primary: ReplicaMember) -> None:
        """Copies the next part."""
        if self._ending:
            await asyncio.shield(self._ending)
            return
        state = self._state
        copied = await self._peers.copy(primary, Copy(self._me, state.token if state else b""))
        async with self._turn:
            if not self.wanted:
                return
            if state is None:
                await self._begin(primary, copied)
            else:
                await self._copies.take(copied)
            self._state = self._copies.state

    async def _begin(self, primary: ReplicaMember, copied: Copied) -> None:
        _log.info("initial_sync_began", node=self._me, primary=primary.id)
        await self._take(events.SyncBegan(copied.seen))
        await self._copies.begin(copied, self._machine.acknowledged)

    async def catch_up(self, batch: Batch, entries: Sequence[OplogEntry], pause_s: float) -> bool:
        """Replays what belongs to the copy, and ends the sync when that is all.

        Args:
            batch: Of the primary that is followed.
            entries: Next of the log, whole jobs.
            pause_s: How long to wait where there is nothing to do but to ask the others again.

        Returns:
            Whether all entries were taken: those behind the copy are none of its business.
        """
        if self._ending:
            await asyncio.shield(self._ending)
            return False
        assert self._state is not None  # noqa: S101 - see `copying`
        consistent = self._state.consistent
        assert consistent is not None  # noqa: S101 - the same
        if self._source != (batch.primary, batch.term):
            self._source, self._needed = (batch.primary, batch.term), batch.latest
        end = max(consistent.op_id, self._needed)
        mine = [entry for entry in entries if entry.op_id <= end]
        if mine:
            await self._copies.replay(mine)
        if self._log.last.op_id < end:
            return True
        if self._log.term_at(consistent.op_id) != consistent.term:
            self.start_over("what was copied was rolled back")
        elif await self._confirm(batch.term):
            self._ending = self._tasks.spawn(self._end())
            await asyncio.shield(self._ending)
        else:
            await asyncio.sleep(pause_s)
        return len(mine) == len(entries)

    def start_over(self, reason: str) -> None:
        """The copy can't be completed; the next one begins when there is somebody to copy from."""
        _log.warning("initial_sync_starts_over", node=self._me, reason=reason)
        self.wanted, self._state, self._source = True, None, ("", 0)

    async def _end(self) -> None:
        """Whoever is followed meanwhile: else the copy might count on disk, and not for the machine."""
        try:
            await self._admit(0)
        finally:
            self._ending = None
        _log.info("initial_sync_complete", node=self._me, op_id=self._log.last.op_id, progress=self.progress)
        self.wanted, self._state = False, None

    async def _admit(self, term: int) -> None:
        """Nothing is acknowledged before it is on disk that the copy counts: else a restart would not vote by it."""
        await self._take(events.SyncEnds(term))
        await self._copies.admit()
        await self._take(events.Synced())

    async def admit(self, term: int) -> None:
        """The set is new, and nobody has anything: this member may vote in terms behind this one."""
        async with self._turn:  # a primary may be heard of meanwhile
            if self.wanted and self._state is None:
                await self._admit(term)
                self.wanted = False
