"""From the stages of a request to a pipeline, and what can be rearranged without changing the result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.pipeline.branching import parse_facet, parse_union_with
from laura_fast.domain.documents.pipeline.buckets import parse_bucket
from laura_fast.domain.documents.pipeline.grouping import parse_group, parse_sort_by_count
from laura_fast.domain.documents.pipeline.joining import parse_lookup
from laura_fast.domain.documents.pipeline.matching import Match, parse_match
from laura_fast.domain.documents.pipeline.ordering import (
    Limit,
    Skip,
    SortStage,
    parse_count,
    parse_limit,
    parse_sample,
    parse_skip,
    parse_sort,
)
from laura_fast.domain.documents.pipeline.pipeline import Pipeline
from laura_fast.domain.documents.pipeline.projecting import (
    parse_add_fields,
    parse_project,
    parse_replace_root,
    parse_unset,
)
from laura_fast.domain.documents.pipeline.subqueries import parse_any_lookup
from laura_fast.domain.documents.pipeline.unwinding import parse_unwind
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laura_fast.domain.documents.pipeline.stage import Stage, StageParser

_INNER: Final[dict[str, StageParser]] = {
    "$match": parse_match,
    "$project": parse_project,
    "$addFields": parse_add_fields,
    "$set": parse_add_fields,
    "$unset": parse_unset,
    "$replaceRoot": parse_replace_root,
    "$replaceWith": parse_replace_root,
    "$sort": parse_sort,
    "$limit": parse_limit,
    "$skip": parse_skip,
    "$sample": parse_sample,
    "$count": parse_count,
    "$group": parse_group,
    "$sortByCount": parse_sort_by_count,
    "$unwind": parse_unwind,
    "$lookup": parse_lookup,
    "$bucket": parse_bucket,
}
"""What there is in a pipeline inside a stage: no further pipelines, so that what runs at once stays bounded."""

STAGES: Final[dict[str, StageParser]] = {
    **_INNER,
    "$facet": lambda name, spec, constants: parse_facet(partial(_compile, constants, _INNER), name, spec),
    "$unionWith": lambda name, spec, constants: parse_union_with(partial(_compile, constants, _INNER), name, spec),
    "$lookup": lambda name, spec, constants: parse_any_lookup(_compile_inner, name, spec, constants),
}


def compile_pipeline(stages: Sequence[Mapping[str, Any]], constants: Mapping[str, Any] | None = None) -> Pipeline:
    """Checks and compiles a pipeline; without stages, it gives all documents.

    Args:
        stages: One document per stage, in order.
        constants: Values of `$$NOW` and other variables that are the same for the whole request, by name without `$$`.

    Raises:
        InvalidArgumentError: An unknown stage (UNSUPPORTED_STAGE), a malformed one (BAD_PIPELINE, or the reason of its
            query, sort or expression), or too many.
    """
    return _compile(constants or {}, STAGES, stages)


def _compile_inner(constants: Mapping[str, Any], stages: list[Any]) -> Pipeline:
    return _compile(constants, _INNER, stages)


def _compile(
    constants: Mapping[str, Any], known: Mapping[str, StageParser], stages: Sequence[Mapping[str, Any]]
) -> Pipeline:
    if len(stages) > limits.MAX_PIPELINE_STAGES:
        raise InvalidArgumentError(f"a pipeline has at most {limits.MAX_PIPELINE_STAGES} stages", "BAD_PIPELINE")
    parsed = [stage for given in stages for stage in _parse(constants, known, given)]
    return Pipeline(_bounded(_matched_early(parsed)))


def _parse(
    constants: Mapping[str, Any], known: Mapping[str, StageParser], given: Mapping[str, Any]
) -> tuple[Stage, ...]:
    if len(given) != 1:
        raise InvalidArgumentError("a stage of a pipeline must have exactly one key", "BAD_PIPELINE")
    [(name, spec)] = given.items()
    parse = known.get(name)
    if parse is None:
        if name in STAGES:
            raise InvalidArgumentError(f"{name} can't be in a pipeline inside a stage", "BAD_PIPELINE")
        raise InvalidArgumentError(f"unsupported stage type: {name}", "UNSUPPORTED_STAGE")
    stages = parse(name, spec, constants)
    return stages if isinstance(stages, tuple) else (stages,)


def _matched_early(stages: Sequence[Stage]) -> list[Stage]:
    """Moves each `$match` before stages that neither choose documents nor touch what it looks at; joins neighbours."""
    arranged: list[Stage] = []
    for stage in stages:
        place = len(arranged)
        if isinstance(stage, Match):
            while place and _may_pass(stage, arranged[place - 1]):
                place -= 1
            if place and isinstance(before := arranged[place - 1], Match):
                arranged[place - 1] = before.joined(stage)
                continue
        arranged.insert(place, stage)
    return arranged


def _may_pass(match: Match, before: Stage) -> bool:
    if isinstance(before, SortStage):
        return True
    return before.one_to_one and match.reads is not None and all(map(before.keeps, match.reads))


def _bounded(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Tells each `$sort` how many documents the `$skip` and `$limit` behind it let through."""
    arranged = list(stages)
    for place, stage in enumerate(arranged):
        if isinstance(stage, SortStage):
            arranged[place] = replace(stage, most=_let_through(arranged[place + 1 :]))
    return tuple(arranged)


def _let_through(stages: Sequence[Stage]) -> int | None:
    """How many of the first documents can matter to what comes behind these stages; None = all."""
    skipped, most = 0, None
    for stage in stages:
        if isinstance(stage, Limit):
            most = skipped + stage.count if most is None else min(most, skipped + stage.count)
        elif isinstance(stage, Skip):
            skipped += stage.count
        elif not stage.one_to_one:
            break
    return most
