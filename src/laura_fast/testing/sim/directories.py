"""What a set can promise while members have lost their directories.

Whoever lost it may have voted and acknowledged what it does not know any more, so it does neither before it has copied
everything, and only a primary can be copied from. A set that can't elect one from the others stands still for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.testing.sim.world import World


def incomplete(world: World) -> set[str]:
    """Members whose disks do not hold what they may have acknowledged, or not yet again."""
    return {each for each in world.ids if not world.engine.whole(world.files[each])}


def tolerates(configuration: Configuration, missing: set[str]) -> bool:
    """Whether the others can elect a primary when all of them run, whoever of them has the longest log.

    A majority of the voters must be whole, and members that may lead: one without priority that has the longest log
    would vote for nobody.
    """
    if not configuration.voters & missing:
        return True
    able = {member.id for member in configuration.members if member.electable} - missing
    return len(able) >= configuration.majority
