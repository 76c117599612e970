"""Quantities as people read them: short, with a unit, of constant width where they stand in columns."""

from __future__ import annotations

import itertools
from typing import Final

NOT_AVAILABLE: Final = "n/a"
_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEPS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))
_EXACT_BELOW_S: Final = 10


def size(count: int | None) -> str:
    """``512 B``, ``1.5 GiB``; three digits at most before the unit changes."""
    if count is None:
        return NOT_AVAILABLE
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_BYTES) - 1:  # noqa: PLR2004 - would be written with four digits
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_BYTES[unit]}" if unit == 0 or amount >= 99.95 else f"{amount:.1f} {_BYTES[unit]}"  # noqa: PLR2004


def duration(milliseconds: float | None) -> str:
    """``0.3 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d 2 h``: the two largest units that matter."""
    if milliseconds is None:
        return NOT_AVAILABLE
    seconds = max(0.0, milliseconds / 1000)
    if seconds < _EXACT_BELOW_S:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    units = (*_STEPS, ("s", 1))
    for (unit, length), (small_unit, small) in itertools.pairwise(units):
        if whole >= length:
            rest = whole % length // small
            return f"{whole // length} {unit} {rest} {small_unit}" if rest else f"{whole // length} {unit}"
    return f"{whole} s"


def percent(share: float | None) -> str:
    """A share that is given in per cent, as a whole number."""
    return NOT_AVAILABLE if share is None else f"{share:.0f} %"


def count(number: int | None) -> str:
    """Thousands apart, by a narrow space."""
    return NOT_AVAILABLE if number is None else f"{number:,}".replace(",", "\u202f")
