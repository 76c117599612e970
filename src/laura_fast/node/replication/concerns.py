"""What clients ask of a replica set in the terms of its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import progress
from laura_fast.domain.replication.progress import Wanted
from laura_fast.errors import FailedPreconditionError, InvalidArgumentError
from laura_fast.node.database import concerns

if TYPE_CHECKING:
    from laura_fast.node.database.concerns import ReadPreference, WriteConcern
    from laura_fast.node.replication.driver import ReplicaSet


class SharedWrites:
    """`Replication` of a member of a replica set."""

    def __init__(self, member: ReplicaSet) -> None:
        self._member = member

    def check_write(self, concern: WriteConcern) -> None:
        if concern.wtimeout_ms < 0:
            raise InvalidArgumentError(f"write_concern.wtimeout_ms is negative: {concern.wtimeout_ms}", "WRITE_CONCERN")
        progress.check(self._member.lead().progress.configuration, wanted(concern))

    def check_read(self, preference: ReadPreference) -> None:
        mode, tagged, staleness_s = preference
        concerns.check_consistent(preference)
        if mode == "PRIMARY" or (mode == "PRIMARY_PREFERRED" and not self._member.leads and self._member.primary):
            self._member.lead()
        elif mode == "SECONDARY" and self._member.leads:
            raise FailedPreconditionError(f"read_preference {mode}: this member is the primary", "NO_SUITABLE_MEMBER")
        elif tagged or staleness_s:
            text = "tag_sets and max_staleness_s are for the client to choose a member by; this one is not checked"
            raise FailedPreconditionError(f"read_preference {mode}: {text}", "NO_SUITABLE_MEMBER")

    async def settle(self, concern: WriteConcern) -> None:
        await self._member.settle(wanted(concern))


def wanted(concern: WriteConcern) -> progress.WriteConcern:
    """The concern as the progress of members is asked."""
    if concern.w in ("", concerns.MAJORITY):
        return progress.WriteConcern(Wanted.MAJORITY)
    if concern.w.isascii() and concern.w.isdecimal():
        return progress.WriteConcern(int(concern.w[:9]))
    return progress.WriteConcern(concern.w)
