"""Whatever a client sends for a pipeline is run or refused with a reason of ours, and harms no document."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.expressions.accumulators import ACCUMULATORS
from laura_fast.domain.documents.expressions.compiler import OPERATORS
from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.domain.documents.pipeline.compiler import STAGES
from laura_fast.errors import InvalidArgumentError, RpcError
from tests.properties import document_dice
from tests.properties.odd_input import spoilt
from tests.properties.pipeline_dice import PATHS, Dice
from tests.unit.domain.documents.pipeline.running import context

TRIES_PER_SEED: Final = 60
NAMES: Final = (
    *("", ".", "a.", ".a", "a..b", "$", "$$", "$a.", "$a.$b", "$$a", "$$ROOT", "$$REMOVE", "$$NOW", "x" + ".x" * 120),
    *("_id", "newRoot", "path", "size", "from", "as", "in", "input", "vars", "cond", "if", "then", "else", "branches"),
    *("date", "unit", "timezone", "format", "to", "onError", "field", "initialValue", "n", "l", "d.n"),
    *PATHS,
    *OPERATORS,
    *STAGES,
    *ACCUMULATORS,
)
REASONS: Final = frozenset(
    {"BAD_PIPELINE", "BAD_EXPRESSION", "UNSUPPORTED_STAGE", "EXPRESSION_FAILED", "DOCUMENT_TOO_LARGE"}
    | {"FILTER_INVALID", "PATH_INVALID", "SORT_INVALID"}
)
ODD: Final = (*document_dice.SCALARS, [], {}, [[]], {"": {}}, "$l", "$n", "$s", "$d", "$gone", 2**31 - 1, -1, 1e300)
ARGUMENTS: Final = (
    *("input", "in", "as", "cond", "limit", "vars", "initialValue", "if", "then", "else", "branches", "default"),
    *("find", "replacement", "date", "timezone", "format", "onNull", "unit", "binSize", "startOfWeek", "to", "field"),
    *("chars", "onError"),
)


def attempt(stages: Any, documents: list[dict[str, Any]]) -> None:
    """Runs a pipeline, or sees it refused as one should be; other errors come through."""
    before = codec.encode({"": documents})
    try:
        for result in compile_pipeline(stages).run(documents, context()):
            codec.encode(result)
    except InvalidArgumentError as refusal:
        if not refusal.message or refusal.reason not in REASONS:
            raise
    except RpcError:
        pass
    assert codec.encode({"": documents}) == before


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_spoilt_pipelines(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    dice = Dice(rng, wild=True)
    for _ in range(TRIES_PER_SEED):
        stages: Any = dice.pipeline()
        for _ in range(rng.randrange(1, 5)):
            stages = spoilt(rng, stages, NAMES)
        if isinstance(stages, list) and all(isinstance(stage, dict) for stage in stages):
            attempt(stages, dice.documents())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_operator_with_any_operands(seed: int) -> None:
    """Each operator's own errors, whatever it is given: numbers of every kind, paths, documents of wrong arguments."""
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    documents = Dice(rng, wild=True).documents()
    for name in OPERATORS:
        operand: Any = [rng.choice(ODD) for _ in range(rng.randrange(4))]
        if rng.random() < 0.5:
            operand = {key: rng.choice(ODD) for key in rng.sample(ARGUMENTS, rng.randrange(1, 4))}
        attempt([{"$set": {"x": {name: operand}}}], documents)
