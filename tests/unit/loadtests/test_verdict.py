"""Which runs pass, which fail, and which prove nothing."""

from __future__ import annotations

from dataclasses import replace

from common.verdict import EXIT_GENERATOR_SATURATED, EXIT_LIMIT_BROKEN, EXIT_PASSED, Limits, Outcome, judge

GOOD = Outcome(
    requests=1000, failures=0, exceptions=0, p99_ms={"Heartbeat": 2.0, "RegisterNode": 9.0}, generator_cpu_percent=50.0
)


def test_a_run_within_its_limits_passes() -> None:
    assert judge(GOOD, Limits(p99_ms=10.0)).exit_code == EXIT_PASSED


def test_without_a_limit_latency_does_not_matter() -> None:
    assert judge(GOOD, Limits()).exit_code == EXIT_PASSED


def test_one_slow_rpc_is_enough_to_fail_however_fast_the_others() -> None:
    verdict = judge(GOOD, Limits(p99_ms=5.0))
    assert verdict.exit_code == EXIT_LIMIT_BROKEN
    assert verdict.reasons == ["RegisterNode: p99 is 9.000 ms, the limit 5 ms"]


def test_any_failure_fails_unless_a_rate_is_allowed() -> None:
    outcome = replace(GOOD, failures=5)
    assert judge(outcome, Limits()).exit_code == EXIT_LIMIT_BROKEN
    assert judge(outcome, Limits(error_rate=0.005)).exit_code == EXIT_PASSED


def test_an_error_of_the_scenario_fails() -> None:
    assert judge(replace(GOOD, exceptions=1), Limits(error_rate=1.0)).exit_code == EXIT_LIMIT_BROKEN


def test_a_run_without_requests_fails() -> None:
    assert judge(replace(GOOD, requests=0), Limits()).exit_code == EXIT_LIMIT_BROKEN


def test_a_saturated_generator_is_told_apart_from_a_slow_server() -> None:
    verdict = judge(replace(GOOD, generator_cpu_percent=95.0), Limits(p99_ms=5.0))
    assert verdict.exit_code == EXIT_GENERATOR_SATURATED
    assert "bottleneck" in verdict.reasons[0]
    assert len(verdict.reasons) == 2
