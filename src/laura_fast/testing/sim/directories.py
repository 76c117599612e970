"""Which members have lost their directories, and not got everything back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laura_fast.testing.sim.world import World


def incomplete(world: World) -> set[str]:
    """Members whose disks do not hold what they may have acknowledged, or not yet again."""
    return {each for each in world.ids if not world.engine.whole(world.files[each])}
