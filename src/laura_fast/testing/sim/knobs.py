"""What a seed draws before it begins.

Swarm testing (Groce et al. 2012): each run leaves some faults out altogether and takes others to extremes, since a run
with a little of everything rarely gets deep into anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication.members import Configuration, ReplicaMember

if TYPE_CHECKING:
    import random

TIMEOUT_S: Final = 1.0
"""Of elections; each member's own clock may run faster or slower."""
KINDS: Final = (
    "bad network",
    "partition",
    "one-way cut",
    "isolated primary",
    "flapping link",
    "stuck streams",
    "crash",
    "crash at a point",
    "crash of all",
    "pause",
    "slow disk",
    "failing disk",
    "clock step",
    "step-down",
    "forced step-down",
    "hasty candidate",
    "reconfiguration",
    "lost directory",
)
"""Faults that are injected; how many of each is counted."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """One draw.

    Attributes:
        members: The configuration.
        speeds: How fast each member's timers run.
        kinds: Faults that happen.
        faults: How many are injected.
        gap_s: Between two of them, at most.
        loss: Probability that a message is lost in bad weather.
        repeat: That it arrives twice.
        slowest_s: Messages take up to this in bad weather.
        sync_s: What a sync takes, at most, on a good day.
        stall_s: And on a slow disk.
        clients: How many there are.
        think_s: Between two requests of a client, at most.
        registers: How many they share.
        reads: Share of reads.
        batch: Entries in a batch at most.
    """

    members: Configuration
    speeds: tuple[float, ...]
    kinds: tuple[str, ...]
    faults: int
    gap_s: float
    loss: float
    repeat: float
    slowest_s: float
    sync_s: float
    stall_s: float
    clients: int
    think_s: float
    registers: int
    reads: float
    batch: int

    def speed(self, member_id: str) -> float:
        """How fast a member's timers run."""
        ids = [member.id for member in self.members.members]
        return dict(zip(ids, self.speeds, strict=True)).get(member_id, 1.0)

    @classmethod
    def draw(cls, dice: random.Random) -> Knobs:
        """Draws them."""
        members = _draw_members(dice)
        kinds = tuple(kind for kind in KINDS if dice.random() < 0.55) or ("crash",)  # noqa: PLR2004 - a bit over half
        choice = dice.choice
        return cls(
            members,
            tuple(choice((1.0, 1.0, 0.75, 1.3)) for _ in members.members),
            kinds,
            dice.randrange(11, 19),
            choice((0.4, 0.8, 1.6)) * TIMEOUT_S,
            choice((0.0, 0.05, 0.3)),
            choice((0.0, 0.1, 0.5)),
            choice((0.01, 0.1, 0.5, 2.0)),
            choice((0.001, 0.01, 0.05)),
            choice((0.3, 2.0)),
            dice.randrange(2, 5),
            choice((0.05, 0.15, 0.4)) * TIMEOUT_S,
            dice.randrange(1, 4),
            choice((0.2, 0.5)),
            choice((1, 3, 100)),
        )


def _draw_members(dice: random.Random) -> Configuration:
    """Mostly three equal members; sometimes more, with other priorities, or without a vote."""
    size = dice.choice((3, 3, 3, 3, 4, 5))
    plain = dice.random() < 0.6  # noqa: PLR2004 - a bit over half
    members = []
    for number in range(1, size + 1):
        name = f"n{number}"
        if plain or number == 1:
            members.append(ReplicaMember(name, f"{name}:1"))
        else:
            priority = dice.choice((0, 1, 1, 2))
            votes = size <= 3 or dice.random() < 0.8  # noqa: PLR2004 - three members with less than three votes are two
            members.append(ReplicaMember(name, f"{name}:1", priority=priority, votes=votes))
    return Configuration("rs0", 1, tuple(members))
