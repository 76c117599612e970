"""What a caller may ask about the safety of writes and the freshness of reads, checked against one node.

Nothing that was asked for is ignored: what this server can't do is refused before anything happens.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAJORITY: Final = "majority"
MIN_STALENESS_S: Final = 90
"""MongoDB's least `maxStalenessSeconds`: below, the estimate of the lag is mostly error."""

LONGEST_WTIMEOUT_MS: Final = 3_600_000
"""What is longer than any call may run is cut to an hour: timers don't take any number."""


class WriteConcern(NamedTuple):
    """How safe a write must be before it is answered: `w` as in the request, `wtimeout_ms` 0 = the call's own time."""

    w: str = ""
    wtimeout_ms: int = 0


class ReadConcern(Enum):
    """What a read may see, named as in the request. On one node, which is its own majority, all are the same."""

    LOCAL = "LOCAL"
    """What this member has, even if a rollback takes it back later."""
    MAJORITY = "MAJORITY"
    """What no rollback takes back."""
    LINEARIZABLE = "LINEARIZABLE"
    """The same, and nothing that was acknowledged before the read began is missing."""
    SNAPSHOT = "SNAPSHOT"
    """As `MAJORITY`: each answer is of one moment in any case."""


class ReadPreference(NamedTuple):
    """Which member may answer.

    Attributes:
        mode: Its name as in MongoDB, in capitals.
        tag_sets: A secondary must have all tags of one of them; none: any member will do.
        max_staleness_s: How far a secondary may be behind; 0 = no bound.
    """

    mode: str = "PRIMARY"
    tag_sets: tuple[Mapping[str, str], ...] = ()
    max_staleness_s: int = 0

    @property
    def tagged(self) -> bool:
        """Whether not just any member will do."""
        return any(self.tag_sets)

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Whether a member with these tags will do."""
        return not self.tag_sets or any(wanted.items() <= tags.items() for wanted in self.tag_sets)


def check_write(concern: WriteConcern, members: int = 1) -> None:
    """Refuses a concern that can't be reached, before anything is written.

    Raises:
        InvalidArgumentError: WRITE_CONCERN: not a concern at all.
        FailedPreconditionError: WRITE_CONCERN_UNSATISFIABLE: it asks for more members than there are.
    """
    if concern.wtimeout_ms < 0:
        raise InvalidArgumentError(f"write_concern.wtimeout_ms is negative: {concern.wtimeout_ms}", "WRITE_CONCERN")
    if concern.w in ("", MAJORITY):
        return
    if not (concern.w.isascii() and concern.w.isdecimal()):
        text = f'write_concern.w = {concern.w[:100]!r} is neither a number nor "majority"; no tag modes are defined'
        raise InvalidArgumentError(text, "WRITE_CONCERN")
    if len(concern.w) > 9 or int(concern.w) > members:  # noqa: PLR2004 - digits that fit an int32
        text = f"write_concern.w = {concern.w[:100]} asks for more members than hold data here ({members})"
        raise FailedPreconditionError(text, "WRITE_CONCERN_UNSATISFIABLE")


def check_consistent(preference: ReadPreference) -> None:
    """Refuses a preference that contradicts itself (MongoDB's server selection, "Read preference").

    Raises:
        InvalidArgumentError: READ_PREFERENCE.
    """
    mode, staleness_s = preference.mode, preference.max_staleness_s
    if staleness_s and staleness_s < MIN_STALENESS_S:
        text = f"read_preference.max_staleness_s = {staleness_s}; allowed: 0 or at least {MIN_STALENESS_S}"
        raise InvalidArgumentError(text, "READ_PREFERENCE")
    if mode == "PRIMARY" and (preference.tagged or staleness_s):
        raise InvalidArgumentError(
            "read_preference PRIMARY takes no tag_sets and no max_staleness_s", "READ_PREFERENCE"
        )


def check_read(preference: ReadPreference) -> None:
    """Refuses a preference that no member satisfies; this one is the primary, without tags.

    Raises:
        InvalidArgumentError: READ_PREFERENCE: it contradicts itself.
        FailedPreconditionError: NO_SUITABLE_MEMBER.
    """
    check_consistent(preference)
    mode, tagged = preference.mode, preference.tagged
    if mode == "SECONDARY" or (mode == "NEAREST" and tagged):
        text = (
            f"read_preference {mode}{' with tag_sets' if tagged else ''}: the only member is the primary, without tags"
        )
        raise FailedPreconditionError(text, "NO_SUITABLE_MEMBER")


def check_no_transaction(txn_id: str) -> None:
    """Raises UnimplementedError (NOT_BUILT) for an operation within a transaction."""
    if txn_id:
        raise UnimplementedError("txn_id: this server has no transactions yet; send the request without", "NOT_BUILT")
