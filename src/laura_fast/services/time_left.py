"""How long a call may still take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.services.binding import Context


def seconds_left(context: Context, longest_s: float) -> float:
    """Seconds until the caller's deadline, or until the server's own bound where that is nearer or the only one."""
    remaining: float | None = context.time_remaining()
    return longest_s if remaining is None else min(remaining, longest_s)
