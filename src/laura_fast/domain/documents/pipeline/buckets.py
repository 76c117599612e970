"""`$bucket`: groups by the range that a value falls into. It is a `$group` and a `$sort` in other words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.keys import bracket
from laura_fast.domain.documents.order import compare
from laura_fast.domain.documents.pipeline.grouping import parse_group
from laura_fast.domain.documents.pipeline.ordering import SortStage
from laura_fast.domain.documents.pipeline.stage import bad_stage
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.domain.documents.pipeline.stage import Stage

_FEWEST = 2


def parse_bucket(name: str, spec: Any, constants: Mapping[str, Any]) -> tuple[Stage, ...]:
    """`$bucket`: groupBy, boundaries (the lower one of a bucket belongs to it, and names it), default, output."""
    if type(spec) is not dict or spec.keys() - {"groupBy", "boundaries", "default", "output"}:
        raise bad_stage(name, "groupBy, boundaries, default and output are all that it takes")
    if "groupBy" not in spec:
        raise bad_stage(name, "groupBy is needed")
    boundaries = _boundaries(name, spec.get("boundaries"))
    output = spec.get("output", {"count": {"$sum": 1}})
    if type(output) is not dict:
        raise bad_stage(name, "output is a document of accumulators")
    group = parse_group(name, {**output, "_id": _key(name, spec, boundaries)}, constants)
    return group, SortStage(compile_sort({"_id": 1}))


def _boundaries(name: str, given: Any) -> list[Any]:
    if type(given) is not list or not _FEWEST <= len(given) <= limits.MAX_BUCKETS:
        raise bad_stage(name, f"boundaries are a list of {_FEWEST} to {limits.MAX_BUCKETS} values")
    for lower, upper in pairwise(given):
        if bracket(lower) != bracket(upper) or compare(lower, upper) >= 0:
            raise bad_stage(name, "boundaries are of one type, each above the one before it")
    return given


def _key(name: str, spec: dict[str, Any], boundaries: list[Any]) -> dict[str, Any]:
    branches = [
        {
            "case": {
                "$and": [
                    {"$gte": [spec["groupBy"], {"$literal": lower}]},
                    {"$lt": [spec["groupBy"], {"$literal": upper}]},
                ]
            },
            "then": {"$literal": lower},
        }
        for lower, upper in pairwise(boundaries)
    ]
    if "default" not in spec:
        return {"$switch": {"branches": branches}}
    default = spec["default"]
    if compare(boundaries[0], default) <= 0 and compare(default, boundaries[-1]) < 0:
        raise bad_stage(name, "the default must not lie between the boundaries")
    return {"$switch": {"branches": branches, "default": {"$literal": default}}}
