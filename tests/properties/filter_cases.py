"""Random queries on random documents, answered by this project and by two others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.properties import document_dice as dice
from tests.properties.filter_differences import RIVALS, explained
from tests.properties.filter_rivals import ours

if TYPE_CHECKING:
    from random import Random

    from laura_fast.domain.documents.codec import Document

RANDOM = 0.6
"""Share of queries that know nothing of their document; few of them match it."""


def compare_many(rng: Random, cases: int) -> Counter[tuple[str, str]]:
    """Compares so many cases with each of the others.

    Returns:
        How many ended how: (implementation, "same" or the name of a known difference or "failed").

    Raises:
        AssertionError: An unknown difference; the message holds the case.
    """
    found: Counter[tuple[str, str]] = Counter()
    for _ in range(cases):
        document = dice.document(rng)
        query = dice.query(rng) if rng.random() < RANDOM else dice.query_about(rng, document)
        for rival in RIVALS:
            found[rival, compare(rival, query, document)] += 1
    return found


def compare(rival: str, query: Document, document: Document) -> str:
    """How a case ended with one of the others.

    Raises:
        AssertionError: An unknown difference.
    """
    ask, differences = RIVALS[rival]
    if known := explained(differences, query, document):
        return known
    theirs, mine = ask(query, document), ours(query, document)
    if theirs == "failed":
        return theirs
    assert mine == theirs, f"{query!r} on {document!r}: {mine} here, {theirs} from {rival}"
    return "same"
