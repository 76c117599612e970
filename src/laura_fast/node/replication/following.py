"""A secondary's work: it pulls the primary's log, applies it in order and says how far it is."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication.members import Position
from laura_fast.errors import ClientError, RemoteError, RpcError
from laura_fast.limits.replication import MAX_OPLOG_JOB_BYTES
from laura_fast.node.replication.leading import truncated
from laura_fast.node.replication.messages import Fetch, Report

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Batch
    from laura_fast.node.replication.ports import Peers, ReplicaLog
    from laura_fast.node.replication.syncing import Syncing
    from laura_fast.storage.documents.oplog import OplogEntry

TOO_STALE: Final = {"OPLOG_TRUNCATED", "ROLLBACK_IMPOSSIBLE"}
"""No retry mends these: the logs don't reach back to where what this member has parted from what the primary has."""
SPOILT: Final = {"DIVERGED", "RESUME_TOKEN", *TOO_STALE}
"""No retry mends these in the middle of a copy."""

RETRIES_PER_TIMEOUT: Final = 10
"""Attempts to reach a primary that does not answer, within one election timeout."""


class Following:
    """Follows whoever is primary. Runs until it is cancelled.

    Attributes:
        level_at: The loop's time when this member last had all that its primary had.
    """

    def __init__(
        self,
        me: str,
        log: ReplicaLog,
        peers: Peers,
        timeout_s: float,
        heard: Callable[[Batch], Awaitable[bool]],
        *,
        syncing: Syncing | None,
    ) -> None:
        """Prepares.

        Args:
            me: This member's id.
            log: Its own.
            peers: The others.
            timeout_s: Of elections.
            heard: Is told of each batch, and after it was applied of the new end; whether it is of our primary.
            syncing: The initial sync of this member; None where it never needs one.
        """
        self.level_at = -math.inf
        self._me = me
        self._log = log
        self._peers = peers
        self._timeout_s = timeout_s
        self._pause_s = timeout_s / RETRIES_PER_TIMEOUT
        self._heard = heard
        self._syncing = syncing
        self._held: list[OplogEntry] = []

    async def follow(self, primary: ReplicaMember, term: int) -> None:
        """Pulls from this primary for as long as it is asked to."""
        self._held = []
        while True:
            try:
                if self._syncing and self._syncing.copying:
                    await self._syncing.go_on(primary)
                else:
                    await self._pull(primary, term)
            except (ClientError, RpcError) as error:
                self._held = []
                await self._recover(primary, error)

    async def _recover(self, primary: ReplicaMember, error: ClientError | RpcError) -> None:
        """What the primary refuses may need a rollback, or a new copy; whatever else went wrong is tried again."""
        reason = getattr(error, "reason", "") if isinstance(error, RemoteError) else ""
        wanted = self._syncing is not None and self._syncing.wanted
        if reason == "DIVERGED" and not wanted:
            try:
                await self._roll_back(primary)
            except (ClientError, RpcError) as other:
                reason = getattr(other, "reason", "")
            else:
                return
        if self._syncing and reason in (SPOILT if wanted else TOO_STALE):
            self._syncing.start_over(str(error))
        await asyncio.sleep(self._pause_s)

    async def _pull(self, primary: ReplicaMember, term: int) -> None:
        last = Position(self._held[-1].term, self._held[-1].op_id) if self._held else self._log.last
        batch = await self._peers.fetch(primary, Fetch(self._me, last, self._timeout_s / 4))
        if not await self._heard(batch):
            return
        whole = self._whole(batch.entries)
        if self._syncing and self._syncing.wanted:
            if not await self._syncing.catch_up(batch, whole, self._pause_s):
                self._held = []
            return
        if whole:
            await self._log.append(whole)
            if not await self._heard(batch):
                return
        last = self._log.last
        if last.op_id >= batch.latest:
            self.level_at = asyncio.get_running_loop().time()
        if last.term == batch.term:  # else our end may still be rolled back, whatever the primary has committed
            self._log.commit(min(batch.commit, last.op_id))
        await self._peers.report(primary, Report(self._me, term, last, last))

    def _whole(self, entries: Sequence[OplogEntry]) -> list[OplogEntry]:
        """The jobs whose entries have all come; those of the last one are held until it is complete."""
        self._held += entries
        end = max((place for place, entry in enumerate(self._held, 1) if not entry.more), default=0)
        if not end and sum(entry.size for entry in self._held) > MAX_OPLOG_JOB_BYTES:
            end = len(self._held)
        whole, self._held = self._held[:end], self._held[end:]
        return whole

    async def _roll_back(self, primary: ReplicaMember) -> None:
        """Undoes what the primary does not have, and nothing else."""
        shared = await self._go_back(primary)
        await self._log.roll_back(await self._go_forward(primary, shared))

    async def _go_back(self, primary: ReplicaMember) -> Position:
        """An entry of ours that the primary has, found in growing steps.

        Raises:
            FailedPreconditionError: OPLOG_TRUNCATED: no entry that old is kept.
        """
        last, step = self._log.last, 1
        while True:
            op_id = max(last.op_id - step, self._log.committed)
            term = self._log.term_at(op_id)
            if term is None:
                raise truncated(op_id)
            try:
                await self._peers.fetch(primary, Fetch(self._me, Position(term, op_id), 0))
            except RemoteError as error:
                if error.reason != "DIVERGED":
                    raise
                if op_id <= self._log.committed:
                    raise AssertionError(f"the primary lacks the committed entry {op_id}") from error
                step *= 2
            else:
                return Position(term, op_id)

    async def _go_forward(self, primary: ReplicaMember, shared: Position) -> Position:
        """The last entry that both have: what lies between may be committed, and must not be undone."""
        while True:
            batch = await self._peers.fetch(primary, Fetch(self._me, shared, 0))
            for entry in batch.entries:
                if self._log.term_at(entry.op_id) != entry.term:
                    return shared
                shared = Position(entry.term, entry.op_id)
            if not batch.entries:
                return shared
