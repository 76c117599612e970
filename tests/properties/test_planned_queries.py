"""A query with indexes answers what it answers without: documents, order, and what a plan promises of itself."""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.properties.planned_queries import Case

SEED = 20_261_127
COLLECTIONS, QUERIES = 40, 15


def test_a_plan_finds_what_a_scan_finds() -> None:
    kinds: Counter[str] = Counter()
    for number in range(COLLECTIONS):
        case = Case(Random(f"{SEED}/{number}"))  # noqa: S311 - a case, no secret
        for _ in range(QUERIES):
            case.ask()
        kinds.update(case.kinds)
    assert {"index scan", "collection scan", "union of index scans", "lookup by _id"} <= kinds.keys()
