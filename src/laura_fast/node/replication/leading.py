"""A primary's work in one term: it counts what members report, serves its log, and says when a write is safe."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import Position
from laura_fast.domain.replication.progress import Progress, WriteConcern, check
from laura_fast.domain.replication.reconfiguration import Rollout
from laura_fast.errors import FailedPreconditionError, OutOfRangeError
from laura_fast.node.database.replication import outcome_unknown
from laura_fast.node.replication.copies import Token, decode_token, encode
from laura_fast.node.replication.messages import Batch, Copied
from laura_fast.node.replication.pins import Pins
from laura_fast.node.replication.waiting import Waiters
from laura_fast.storage.documents.copying import Place, encode_pieces

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration, Stamp
    from laura_fast.node.replication.messages import Copy, Fetch
    from laura_fast.node.replication.ports import ReplicaLog


class Leading:
    """One term of one primary.

    Attributes:
        progress: What is known of the members.
        rollout: How far the configuration is.
    """

    def __init__(self, me: str, configuration: Configuration, term: int, log: ReplicaLog, no_op: Position) -> None:
        self.progress = Progress(configuration, term, no_op.op_id)
        self.rollout = Rollout(me, configuration, no_op.op_id)
        self._rolled_out = Waiters()
        self._me = me
        self._log = log
        self._waiters = Waiters()
        self._pins = Pins(log.copies.pin if log.copies else lambda _member, _op_id: None)
        self._grew = asyncio.Event()
        self._over = False
        self.grew()

    def grew(self) -> None:
        """Our own log has grown."""
        self.report(self._me, self._log.last, self._log.last)
        self._grew.set()
        self._grew = asyncio.Event()

    def report(self, member: str, applied: Position, durable: Position) -> None:
        """A member told how far it is."""
        if durable.op_id:
            self._pins.release(member)
        if self.progress.report(member, applied, durable):
            self._log.commit(self.progress.commit)
        self._waiters.settle(self.progress.reached)

    def configure(self, configuration: Configuration) -> None:
        """Counts with these members from now on."""
        before = self.rollout
        gone = (*before.departed, *before.configuration.members)
        departed = {each.id: each for each in gone if configuration.get(each.id) is None}
        self.rollout = Rollout(self._me, configuration, self.progress.commit, tuple(departed.values()))
        if self.progress.reconfigure(configuration):
            self._log.commit(self.progress.commit)
        self._waiters.settle(self.progress.reached)

    def holds(self, member: str, stamp: Stamp) -> None:
        """A member told which configuration it has on disk."""
        self.rollout.report(member, stamp)
        if self.rollout.complete:
            self._rolled_out.settle(lambda version, _: version <= self.rollout.configuration.version)

    async def rolled_out(self, version: int) -> None:
        """Returns when a majority has this version of the configuration. Raises as `wait`."""
        if not (self.rollout.complete and version <= self.rollout.configuration.version):
            await self._rolled_out.wait(version, WriteConcern())

    async def fetch(self, fetch: Fetch) -> Batch:
        """What comes behind a member's log, after at most its wait.

        Raises:
            OutOfRangeError: DIVERGED: our log does not have its last entry.
            FailedPreconditionError: OPLOG_TRUNCATED: it must copy everything. NOT_PRIMARY: this node leads no more.
        """
        self._check_shared(fetch.last)
        self._pins.move(fetch.member, fetch.last.op_id)
        grew, entries = self._grew, self._log.read(fetch.last.op_id + 1)
        if not entries and fetch.wait_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(fetch.wait_s):
                    await grew.wait()
            if self._over:
                raise FailedPreconditionError("not primary: another term began", "NOT_PRIMARY")
            entries = self._log.read(fetch.last.op_id + 1)
        latest = self._log.last.op_id
        return Batch(self._me, self.progress.term, self.progress.commit, latest, tuple(entries))

    async def copy(self, copy: Copy) -> Copied:
        """The next part of a copy of everything; the log is kept for a member meanwhile.

        Raises:
            OutOfRangeError: DIVERGED: what was copied before is not in our log.
            FailedPreconditionError: OPLOG_TRUNCATED: our log does not reach back to the beginning of the copy.
            InvalidArgumentError: RESUME_TOKEN.
            NotFoundError: A collection that was asked for is not there.
        """
        if self._log.copies is None:
            raise FailedPreconditionError("this member keeps its whole log: there is nothing to copy", "NO_COPIES")
        token = decode_token(copy.token) if copy.token else None
        if token:
            self._check_shared(token.seen)
            if not self._log.copies.keeps(token.start.op_id):
                raise truncated(token.start.op_id + 1)
        portion = await self._log.copies.read(token.place if token else Place(), copy.collections)
        seen = Position(portion.head.term, portion.head.op_id)
        start = token.start if token else seen
        if self.progress.configuration.get(copy.member):  # a stranger may look, and keeps nothing here
            self._pins.hold(copy.member, start.op_id)
        following = encode(Token(start, seen, portion.place or Place()))
        entry = None if token else portion.last
        pieces = encode_pieces(portion.pieces)
        return Copied(start.op_id, entry, seen, pieces, portion.documents, following, portion.place is None)

    def _check_shared(self, last: Position) -> None:
        beyond = self._log.last.op_id < last.op_id
        term = None if beyond else self._log.term_at(last.op_id)
        if beyond or (last.term and term not in {None, last.term}):
            raise OutOfRangeError(f"the log here has no entry {last.op_id} of term {last.term}", "DIVERGED")
        if last.term and term is None:
            raise truncated(last.op_id)

    async def wait(self, op_id: int, concern: WriteConcern) -> None:
        """Returns when the entry is as safe as asked.

        Raises:
            FailedPreconditionError: It can never be.
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more.
        """
        check(self.progress.configuration, concern)
        if not self.progress.reached(op_id, concern):
            await self._waiters.wait(op_id, concern)

    def end(self) -> None:
        """Another term began: what waits may have happened or not."""
        self._over = True
        self._pins.release_all()
        self._waiters.fail(outcome_unknown())
        self._rolled_out.fail(outcome_unknown())
        self._grew.set()


def truncated(op_id: int) -> FailedPreconditionError:
    """The answer to a member that is too far behind."""
    told = f"oplog truncated, initial sync required: entry {op_id} is no longer kept"
    return FailedPreconditionError(told, "OPLOG_TRUNCATED")
