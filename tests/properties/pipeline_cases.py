"""Random pipelines, answered by this project and by mongomock-ng (montydb has none)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.properties.pipeline_dice import Dice
from tests.properties.pipeline_differences import explained
from tests.properties.pipeline_rivals import alike, determined, mongomock, ours

if TYPE_CHECKING:
    from random import Random

RIVAL = "mongomock-ng"


def compare_many(rng: Random, cases: int) -> Counter[tuple[str, str]]:
    """How the cases ended: "same", "failed" there, or a known difference by its name.

    Raises:
        AssertionError: A difference that is not known.
    """
    ended: Counter[tuple[str, str]] = Counter()
    for _ in range(cases):
        dice = Dice(rng, wild=False)
        documents, stages = dice.documents(), determined(dice.pipeline())
        answer = mongomock(stages, documents)
        ending = "failed" if answer == "failed" else explained(stages, documents)
        if ending is None:
            assert alike(ours(stages, documents), answer), f"{RIVAL}: {stages} over {documents}"
        ended[RIVAL, ending or "same"] += 1
    return ended
