"""Did the run pass, and may its numbers be believed?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

EXIT_PASSED: Final = 0
EXIT_LIMIT_BROKEN: Final = 1
EXIT_GENERATOR_SATURATED: Final = 3

GENERATOR_CPU_LIMIT_PERCENT: Final = 90.0
"""Of one core: a gevent process has no more, and near it the measured latency is its own queue."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must hold."""

    p99_ms: float = 0.0
    """Of every request name by itself; 0 = no limit."""
    error_rate: float = 0.0
    """Failed requests as a share of all, 0 … 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    requests: int
    failures: int
    exceptions: int
    """Errors of the scenario itself, outside any request."""
    p99_ms: Mapping[str, float]
    generator_cpu_percent: float
    """The busiest window of the busiest generator process."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Exit code and the reasons for it, one sentence each."""

    exit_code: int
    reasons: list[str] = field(default_factory=list)


def judge(outcome: Outcome, limits: Limits) -> Verdict:
    """Applies the limits. A saturated generator outweighs everything else: its numbers prove nothing either way."""
    broken = [*_broken_latency(outcome, limits), *_broken_errors(outcome, limits)]
    if outcome.generator_cpu_percent > GENERATOR_CPU_LIMIT_PERCENT:
        reason = (
            f"the load generator used {outcome.generator_cpu_percent:.0f} % of a core (limit "
            f"{GENERATOR_CPU_LIMIT_PERCENT:.0f} %): it was the bottleneck, not the server; "
            "use more workers or fewer users"
        )
        return Verdict(EXIT_GENERATOR_SATURATED, [reason, *broken])
    return Verdict(EXIT_LIMIT_BROKEN if broken else EXIT_PASSED, broken)


def _broken_latency(outcome: Outcome, limits: Limits) -> list[str]:
    return [
        f"{name}: p99 is {p99_ms:.3f} ms, the limit {limits.p99_ms:g} ms"
        for name, p99_ms in sorted(outcome.p99_ms.items())
        if limits.p99_ms and p99_ms > limits.p99_ms
    ]


def _broken_errors(outcome: Outcome, limits: Limits) -> list[str]:
    if not outcome.requests:
        return ["not one request was made"]
    reasons = []
    rate = outcome.failures / outcome.requests
    if rate > limits.error_rate:
        reasons.append(
            f"{outcome.failures} of {outcome.requests} requests failed, the limit is {limits.error_rate:.2%}"
        )
    if outcome.exceptions:
        reasons.append(f"{outcome.exceptions} errors in the scenario itself")
    return reasons
