"""A query with indexes answers what it answers without: documents, order, and what a plan promises of itself."""

from __future__ import annotations

from random import Random

from laura_fast.domain.documents.planning.plan import Kind
from tests.properties.planned_queries import compare_many


def test_a_plan_finds_what_a_look_at_everything_finds() -> None:
    plans = compare_many(Random("20261127"), 600)  # noqa: S311 - cases, no secrets
    assert {kind for kind, _ in plans} == set(Kind)
