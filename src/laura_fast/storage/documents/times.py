"""Commit times: a hybrid logical clock in 8 bytes, 48 bits of milliseconds and a counter of 16 bits.

A time is above every earlier one, whatever the machine's clock does, and near the clock otherwise (Kulkarni et al.,
"Logical Physical Clocks"). When the counter runs over, it carries into the milliseconds.
"""

from __future__ import annotations

from typing import Final

COUNTER_BITS: Final = 16


def at_ms(milliseconds: int) -> int:
    """The first commit time of a millisecond since 1970."""
    return milliseconds << COUNTER_BITS


def milliseconds(time: int) -> int:
    """The millisecond of a commit time."""
    return time >> COUNTER_BITS


def following(last: int, now_ms: int) -> int:
    """The commit time to give after `last`."""
    return max(last + 1, at_ms(now_ms))
