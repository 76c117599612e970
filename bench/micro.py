"""Measures plain functions that are too short to time one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

Answer = TypeVar("Answer")

ROUNDS = 20
WARMUP_ROUNDS = 2


def per_call(
    benchmark: BenchmarkFixture,
    work: Callable[[], Answer],
    check: Callable[[Answer], bool],
    *,
    calls: int,
    begin: Callable[[], None] | None = None,
) -> None:
    """Measures `work`, which makes `calls` calls in a loop of its own; a row of the table is one call.

    Args:
        benchmark: pytest-benchmark's fixture.
        work: One round.
        check: Must hold for the last round's answer.
        calls: Calls in a round.
        begin: Prepares each round; not timed.

    Raises:
        AssertionError: The answer failed the check.
    """
    answer = benchmark.pedantic(  # type: ignore[no-untyped-call]  # pytest-benchmark is half typed
        work, setup=begin, rounds=ROUNDS, warmup_rounds=WARMUP_ROUNDS
    )
    assert check(answer), f"wrong answer: {answer!r}"
    if benchmark.stats:
        rounds = benchmark.stats.stats.data
        rounds[:] = [seconds / calls for seconds in rounds]
        benchmark.extra_info["calls_per_round"] = calls
