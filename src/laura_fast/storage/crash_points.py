"""Named moments before and after each durable step, where a test may let the process die.

Nothing is armed in production: passing a point costs the look at one variable. A test arms them with a callable, or
from outside with the environment variable `LAURA_FAST_CRASH_POINT=name:count`: the process kills itself, as by
`kill -9`, when it passes the point for the count-th time.

===================  =================================================================================================
point                what is on disk when the process dies here
===================  =================================================================================================
job-begun            nothing of the job
documents-written    nothing: the job's documents and index entries are written, but not committed; its log is not
log-written          nothing: the oplog entries are written, too; the old images and the head are not
job-finished         nothing: the job is complete, but not committed
group-finished       nothing: all jobs of a group are complete, but not committed
group-committed      the group: nobody was told yet
job-published        the group: readers may see it; those who wait for it were not told yet
group-told           the group, and its callers are being told
collecting           nothing of a slice that lets go of the past
===================  =================================================================================================
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE: Final = "LAURA_FAST_CRASH_POINT"
POINTS: Final = (
    "job-begun",
    "documents-written",
    "log-written",
    "job-finished",
    "group-finished",
    "group-committed",
    "job-published",
    "group-told",
    "collecting",
)

_action: Callable[[str], None] | None = None


def reach(point: str) -> None:
    """Marks a moment."""
    if _action is not None:
        _action(point)


def arm(action: Callable[[str], None] | None) -> None:
    """Sets what happens at every point, given its name; None = nothing."""
    global _action  # noqa: PLW0603 - one switch for the process, so that a disarmed point costs next to nothing
    _action = action


def dying_at(point: str, count: int) -> Callable[[str], None]:
    """An action that kills the process when the point is passed for the count-th time.

    Raises:
        ValueError: There is no such point.
    """
    if point not in POINTS:
        raise ValueError(f"no crash point {point!r}; there are {', '.join(POINTS)}")
    left = count

    def action(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return action


def _arm_from_environment() -> None:
    name, _, count = os.environ.get(VARIABLE, "").partition(":")
    if name:
        arm(dying_at(name, int(count or 1)))


_arm_from_environment()
