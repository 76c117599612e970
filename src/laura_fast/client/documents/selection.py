"""Which members to ask, in which order, as MongoDB's drivers choose ("Server Selection" specification)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from laura_fast.client.documents.reading import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laura_fast.client.documents.reading import Reading

_PRIMARY_FIRST: Final = frozenset({Mode.PRIMARY, Mode.PRIMARY_PREFERRED})
_PRIMARY_TOO: Final = frozenset({Mode.PRIMARY, Mode.PRIMARY_PREFERRED, Mode.SECONDARY_PREFERRED})


@dataclass(frozen=True, slots=True)
class Member:
    """A member that holds data, as a client sees it.

    Attributes:
        address: ``host:port``.
        primary: Whether it leads.
        tags: Of the configuration.
        round_trip_s: Smoothed; infinite where it did not answer.
    """

    address: str
    primary: bool
    tags: Mapping[str, str]
    round_trip_s: float


def suitable(members: Sequence[Member], reading: Reading, dice: Callable[[], float]) -> list[str]:
    """Addresses to try one after the other. How stale a member is, it knows best itself, and refuses.

    Args:
        members: Of the set.
        reading: What is wanted.
        dice: Uniform in [0, 1): spreads reads over the members that are about equally near.
    """
    primary = [member for member in members if member.primary]
    others = [member for member in members if not member.primary]
    if reading.mode is Mode.NEAREST:
        chosen = _near(_tagged(members, reading), reading, dice)
    else:
        chosen = [] if reading.mode is Mode.PRIMARY else _near(_tagged(others, reading), reading, dice)
        if reading.mode in _PRIMARY_TOO:
            chosen = [*primary, *chosen] if reading.mode in _PRIMARY_FIRST else [*chosen, *primary]
    return [member.address for member in chosen]


def _tagged(members: Sequence[Member], reading: Reading) -> list[Member]:
    for wanted in reading.tag_sets or ({},):
        if found := [member for member in members if wanted.items() <= member.tags.items()]:
            return found
    return []


def _near(members: Sequence[Member], reading: Reading, dice: Callable[[], float]) -> list[Member]:
    """Those within the window in random order, then the others, the nearest first."""
    longest_s = min((member.round_trip_s for member in members), default=0.0) + reading.window_s

    def rank(member: Member) -> tuple[bool, float]:
        far = member.round_trip_s > longest_s
        return far, member.round_trip_s if far else dice()

    return sorted(members, key=rank)
