"""Counts add up, and come out under the names that existing boards read."""

from __future__ import annotations

import json
from timeit import repeat
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from laura_fast.errors import Code
from laura_fast.limits.rpc import MAX_OBSERVED_METHODS
from laura_fast.observability import log
from laura_fast.observability.rpc import RpcStats
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from io import StringIO

HEARTBEAT = "/lauradb.cluster.ClusterService/Heartbeat"
LABELS = 'grpc_method="Heartbeat",grpc_service="lauradb.cluster.ClusterService",grpc_type="unary"'


def exposition(stats: RpcStats) -> list[str]:
    registry = CollectorRegistry()
    registry.register(stats)
    return generate_latest(registry).decode().splitlines()


def call(stats: RpcStats, code: Code = Code.OK, seconds: float = 0.0003) -> None:
    stats.rpc_started(HEARTBEAT)
    stats.rpc_handled(HEARTBEAT, code, seconds, "ipv4:127.0.0.1:1")


def test_a_recorder_counts_what_both_calls_count() -> None:
    at_once, in_two = RpcStats(), RpcStats()
    record = at_once.recorder(HEARTBEAT)
    for calls, seconds in ((1, 0.00001), (2, 0.0003), (1, 0.3), (4, 31.0)):
        record(calls, seconds * calls, "ipv4:127.0.0.1:1")
        for _ in range(calls):
            call(in_two, seconds=seconds)
    assert exposition(at_once) == exposition(in_two)
    assert at_once.in_flight == 0


def test_a_known_method_shows_zeros_before_its_first_call() -> None:
    stats = RpcStats()
    stats.add_service(cluster_pb2.DESCRIPTOR.services_by_name["ClusterService"])
    lines = exposition(stats)
    assert f"grpc_server_started_total{{{LABELS}}} 0.0" in lines
    assert f'grpc_server_handled_total{{grpc_code="OK",{LABELS}}} 0.0' in lines


def test_calls_are_counted_by_code_in_grpc_gos_spelling() -> None:
    stats = RpcStats()
    stats.add_service(cluster_pb2.DESCRIPTOR.services_by_name["ClusterService"])
    for code in (Code.OK, Code.OK, Code.NOT_FOUND, Code.CANCELLED):
        call(stats, code)
    stats.rpc_started(HEARTBEAT)
    lines = exposition(stats)
    assert f"grpc_server_started_total{{{LABELS}}} 5.0" in lines
    for name, count in (("OK", 2), ("NotFound", 1), ("Canceled", 1)):
        assert f'grpc_server_handled_total{{grpc_code="{name}",{LABELS}}} {count}.0' in lines
    assert stats.in_flight == 1


def test_the_histogram_is_cumulative_and_its_edges_are_inclusive() -> None:
    stats = RpcStats()
    stats.add_service(cluster_pb2.DESCRIPTOR.services_by_name["ClusterService"])
    for seconds in (0.00005, 0.0001, 0.002, 3600):
        call(stats, seconds=seconds)
    lines = exposition(stats)
    for le, count in (("0.0001", 2), ("0.001", 2), ("0.0025", 3), ("30.0", 3), ("+Inf", 4)):
        assert f'grpc_server_handling_seconds_bucket{{{LABELS},le="{le}"}} {count}.0' in lines
    assert f"grpc_server_handling_seconds_count{{{LABELS}}} 4.0" in lines


def test_endless_method_names_share_one_line() -> None:
    stats = RpcStats()
    for index in range(MAX_OBSERVED_METHODS + 50):
        stats.rpc_started(f"/s.S/M{index}")
    assert len(stats.methods) <= MAX_OBSERVED_METHODS + 1
    assert stats.in_flight == MAX_OBSERVED_METHODS + 50


@pytest.mark.parametrize(("level", "lines"), [("info", 0), ("debug", 1)])
def test_one_line_per_call_at_debug_only(level: str, lines: int, log_lines: StringIO) -> None:
    log.set_level(level)
    call(RpcStats())
    found = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert len(found) == lines
    for line in found:
        assert (line["event"], line["method"], line["code"], line["ms"]) == ("rpc", HEARTBEAT, "OK", 0.3)


def test_counting_a_call_costs_about_a_microsecond() -> None:
    """The best of many short runs, with room for a slow machine: a lock and label lookup per family would cost 5 µs."""
    stats = RpcStats()
    best_s = min(repeat(lambda: call(stats), number=1000, repeat=20)) / 1000
    assert best_s < 4e-6
