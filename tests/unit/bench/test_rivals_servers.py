"""The rivals' registry keeps the contract, and a run whose answers are wrong is refused."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import missing_tools
from bench.rivals.load import WrongAnswersError
from bench.rivals.measure import Bench, measure
from bench.rivals.servers.registry import Registry, UnknownNodeError
from bench.rivals.subjects import grpc_aio
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.report.raw.rivals import Scenario

if TYPE_CHECKING:
    from bench.rivals.load import Target
    from bench.rivals.process import Running
    from bench.rivals.rival import Launch

NEEDS_LOAD = pytest.mark.skipif(
    bool(missing_tools("h2load", "taskset")) or (os.cpu_count() or 0) < 2,
    reason=missing_tools("h2load", "taskset") or "needs two cores",
)
BENCH = Bench(seconds=0.1)


def registry(*ids: str, always: bool = False) -> Registry:
    """A registry with these nodes."""
    filled = Registry(always_topology=always)
    for name in ids:
        assert filled.register(pb.NodeRegistrationRequest(node=pb.Node(id=name))).success
    return filled


def test_registration_answers_all_nodes_sorted_and_refuses_a_taken_id() -> None:
    answer = registry("b").register(pb.NodeRegistrationRequest(node=pb.Node(id="a")))
    assert [node.id for node in answer.cluster_nodes] == [node.id for node in answer.topology.nodes] == ["a", "b"]
    again = registry("b").register(pb.NodeRegistrationRequest(node=pb.Node(id="b")))
    assert (again.success, again.message) == (False, "node b already registered")


def test_a_beat_carries_the_topology_only_when_it_is_news() -> None:
    filled = registry("a", "b")
    version = filled.topology().version
    assert not filled.heartbeat(pb.HeartbeatRequest(node_id="a", known_topology_version=version)).HasField("topology")
    assert filled.heartbeat(pb.HeartbeatRequest(node_id="a", known_topology_version=version - 1)).topology.nodes
    silent = pb.HeartbeatRequest(node_id="b")
    assert [filled.heartbeat(silent).HasField("topology") for _ in range(2)] == [True, False]


def test_a_beat_always_carries_it_when_told_so() -> None:
    filled = registry("a", always=True)
    known = pb.HeartbeatRequest(node_id="a", known_topology_version=filled.topology().version)
    assert filled.heartbeat(known).HasField("topology")


def test_strangers_and_those_who_left_are_not_found() -> None:
    filled = registry("a")
    assert filled.deregister(pb.NodeDeregistrationRequest(node_id="a")).success
    assert not filled.deregister(pb.NodeDeregistrationRequest(node_id="a")).success
    with pytest.raises(UnknownNodeError, match="node a not registered"):
        filled.heartbeat(pb.HeartbeatRequest(node_id="a"))


@NEEDS_LOAD
def test_a_run_whose_answers_are_grpc_errors_is_refused() -> None:
    """h2load calls these a success; only the bytes tell."""

    def elsewhere(running: Running, scenario: Scenario, launch: Launch) -> Target:
        return dataclasses.replace(
            grpc_aio.RIVAL.prepare(running, scenario, launch), path="/lauradb.cluster.ClusterService/No"
        )

    broken = dataclasses.replace(grpc_aio.RIVAL, prepare=elsewhere)
    with pytest.raises(WrongAnswersError, match="answer bytes"):
        measure(broken, Scenario("heartbeat", 1, 1), BENCH, (0, 0))
