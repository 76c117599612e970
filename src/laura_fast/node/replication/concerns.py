"""What clients ask of a replica set in the terms of its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import progress
from laura_fast.domain.replication.progress import Wanted
from laura_fast.errors import FailedPreconditionError, InvalidArgumentError
from laura_fast.node.database import concerns
from laura_fast.node.database.concerns import ReadConcern
from laura_fast.node.database.replication import check_clock
from laura_fast.storage.documents import times

if TYPE_CHECKING:
    from laura_fast.node.database.concerns import ReadPreference, WriteConcern
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.node.replication.moments import Moments


class Shared:
    """`Replication` of a member of a replica set."""

    def __init__(self, member: ReplicaSet, moments: Moments, clock: Clock) -> None:
        self._member = member
        self._moments = moments
        self._clock = clock

    async def lead_known(self) -> None:
        await self._member.lead_known()

    def check_write(self, concern: WriteConcern) -> None:
        if concern.wtimeout_ms < 0:
            raise InvalidArgumentError(f"write_concern.wtimeout_ms is negative: {concern.wtimeout_ms}", "WRITE_CONCERN")
        progress.check(self._member.lead().progress.configuration, wanted(concern))

    def check_read(self, preference: ReadPreference) -> None:
        mode = preference.mode
        concerns.check_consistent(preference)
        if mode != "PRIMARY":
            self._check_whole(f"read_preference {mode}")
        if mode == "PRIMARY" or (mode == "PRIMARY_PREFERRED" and not self._member.leads and self._member.primary):
            self._member.lead()
        elif self._member.leads:
            if mode == "SECONDARY":
                raise _unsuitable(mode, "this member is the primary")
            if mode == "NEAREST":
                self._check_tags(preference)
        else:
            self._check_tags(preference)
            self._check_fresh(preference)

    def _check_whole(self, asked: str) -> None:
        if self._member.sync_progress:
            told = f"{asked}: this member copies everything and is not complete"
            raise FailedPreconditionError(told, "NO_SUITABLE_MEMBER")

    def _check_tags(self, preference: ReadPreference) -> None:
        if not preference.fits(self._member.tags):
            raise _unsuitable(preference.mode, f"this member's tags are {dict(self._member.tags)}")

    def _check_fresh(self, preference: ReadPreference) -> None:
        """A member that was level with the primary a moment ago is as old as that moment, whatever was written last."""
        behind_s = min(
            self._member.level_s_ago,
            self._clock.wall_ms() / 1000 - times.milliseconds(self._moments.newest()) / 1000,
        )
        if preference.max_staleness_s and behind_s > preference.max_staleness_s:
            raise _unsuitable(preference.mode, f"this member is {behind_s:.0f} s behind")

    async def moment(self, concern: ReadConcern, after: int) -> int | None:
        if after > self._moments.newest():
            check_clock(after, self._clock)
        if concern is ReadConcern.LOCAL:
            if not self._member.leads:  # there is nothing newer anywhere than what the primary has
                await self._moments.wait(lambda: self._moments.newest() >= after)
                self._check_whole("after_time")  # it may have begun meanwhile, and a copy begins with its end
            return None
        if concern is ReadConcern.LINEARIZABLE:
            await self._member.confirm()
        if self._member.leads:
            after = min(after, self._moments.newest())
        await self._moments.wait(lambda: self._moments.committed_since(after))
        return self._moments.committed()

    def told_time(self, at: int | None) -> int:
        return self._moments.newest() if at is None else at

    async def settle(self, concern: WriteConcern) -> None:
        await self._member.settle(wanted(concern))


def wanted(concern: WriteConcern) -> progress.WriteConcern:
    """The concern as the progress of members is asked."""
    if concern.w in ("", concerns.MAJORITY):
        return progress.WriteConcern(Wanted.MAJORITY)
    if concern.w.isascii() and concern.w.isdecimal():
        return progress.WriteConcern(int(concern.w[:9]))
    return progress.WriteConcern(concern.w)


def _unsuitable(mode: str, why: str) -> FailedPreconditionError:
    return FailedPreconditionError(f"read_preference {mode}: {why}", "NO_SUITABLE_MEMBER")
