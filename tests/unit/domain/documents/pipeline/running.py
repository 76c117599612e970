"""Runs pipelines in tests."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.pipeline import Context, compile_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIB = 1024 * 1024


def budget(max_bytes: int = 64 * MIB, deadline: float = math.inf) -> Budget:
    """A budget whose clock stands still at 0."""
    return Budget(1_000_000, deadline, max_bytes, lambda: 0.0)


def dice(seed: int) -> random.Random:
    """Dice that fall the same way in every run."""
    return random.Random(seed)  # noqa: S311 - nothing is secret here


def context(
    held: Budget | None = None, foreign: Mapping[str, list[dict[str, Any]]] | None = None, seed: int = 1
) -> Context:
    """A context with dice that always fall the same way."""
    return Context(held or budget(), dice(seed), lambda name: (foreign or {}).get(name, []))


def aggregate(
    documents: Iterable[dict[str, Any]], *stages: dict[str, Any], given: Context | None = None
) -> list[dict[str, Any]]:
    """All results of a pipeline."""
    return list(compile_pipeline(stages).run(documents, given or context()))
