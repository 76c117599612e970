"""Shards and a merge give what the pipeline gives in one place, however the documents lie."""

from __future__ import annotations

import math
from itertools import chain
from random import Random, SystemRandom
from typing import Any

import bson
import pytest
from bson import Decimal128

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.order import equal
from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import RpcError
from tests.properties.pipeline_dice import Dice
from tests.unit.domain.documents.pipeline.running import context

CASES = 500


def test_any_partition_gives_the_same() -> None:
    """What shards send travels as BSON; a case whose documents have no value in some expression proves nothing."""
    seed, compared = SystemRandom().getrandbits(32), 0
    for case in range(CASES):
        rng = Random(f"{seed} {case}")  # noqa: S311 - cases, not secrets
        dice = Dice(rng, wild=True)
        stages, shards = dice.pipeline(), _partition(rng, dice.documents())
        try:
            expected, found = _in_one_place(stages, shards), _split(stages, shards)
        except RpcError:
            continue
        assert _alike(found, expected), f"case {seed} {case}: {stages} over {shards}"
        compared += 1
    assert compared > CASES / 2


@pytest.mark.parametrize(
    "stages",
    [
        [{"$group": {"_id": "$k", "n": {"$sum": "$v"}, "m": {"$avg": "$v"}, "d": {"$stdDevPop": "$v"}}}],
        [{"$sort": {"v": -1}}, {"$skip": 1}, {"$limit": 3}],
        [{"$group": {"_id": None, "f": {"$first": "$v"}, "l": {"$last": "$v"}, "p": {"$push": "$v"}}}],
        [{"$count": "n"}],
    ],
)
def test_every_partition_of_a_few_gives_the_same(stages: list[dict[str, Any]]) -> None:
    documents = [
        {"_id": place, "k": place % 2, "v": value} for place, value in enumerate([1, 0.1, 2**31 - 1, None, 1e16])
    ]
    for code in range(3 ** len(documents)):
        shards: list[list[dict[str, Any]]] = [[], [], []]
        for place, document in enumerate(documents):
            shards[code // 3**place % 3].append(document)
        assert _alike(_split(stages, shards), _in_one_place(stages, shards))


def _partition(rng: Random, documents: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    shards: list[list[dict[str, Any]]] = [[] for _ in range(rng.randint(1, 4))]
    for document in documents:
        rng.choice(shards).append(document)
    return shards


def _in_one_place(stages: list[dict[str, Any]], shards: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return list(compile_pipeline(stages).run(list(chain(*shards)), context()))


def _split(stages: list[dict[str, Any]], shards: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    shard, merge = compile_pipeline(stages).split()
    sent = [bson.encode(document) for documents in shards for document in shard.run(documents, context())]
    return list(merge.run(map(codec.decode, sent), context()))


def _alike(found: Any, expected: Any) -> bool:
    """Equal in value and type; doubles up to the rounding that merging deviations brings."""
    if isinstance(found, dict):
        return (
            isinstance(expected, dict)
            and list(found) == list(expected)
            and _alike([*found.values()], [*expected.values()])
        )
    if isinstance(found, list):
        same = isinstance(expected, list) and len(found) == len(expected)
        return same and all(map(_alike, found, expected))
    if isinstance(found, float) and isinstance(expected, float):
        return equal(found, expected) or math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(found, Decimal128):
        return equal(found, expected)
    return type(found) is type(expected) and equal(found, expected)
