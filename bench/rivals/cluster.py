"""Prepares any server that speaks the contract's ClusterService for load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc

from bench.rivals import h2load, pyload, registrar
from bench.rivals.load import Load, Target, WrongAnswersError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

    from bench.rivals.process import Running
    from bench.rivals.rival import Launch
    from laura_fast.report.raw.rivals import Call, Scenario, Topology

SERVICE = "/lauradb.cluster.ClusterService/"
PATHS: dict[Call, str] = {
    "heartbeat": SERVICE + "Heartbeat",
    "registration": SERVICE + "RegisterNode",
    "heartbeat_stream": "/laura.fast.v1.MembershipService/HeartbeatStream",
}
TIMEOUT_S = 30
POPULATION_STREAMS = 32
"""Registrations in flight while filling the registry: enough for a durable server to share its fsyncs."""


def prepare(running: Running, scenario: Scenario, launch: Launch, authority: Path | None = None) -> Target:
    """Registers the scenario's nodes, asks once what a beat answers, and returns that beat as the load's target.

    For registrations there is nothing to do but to name the server.

    Raises:
        WrongAnswersError: The answer to the first beat isn't what the scenario asks for.
    """
    target = Target(running.address, PATHS[scenario.call], headers=h2load.GRPC_HEADERS, authority=authority)
    if scenario.call == "registration":
        return target
    streams = min(POPULATION_STREAMS, scenario.nodes)
    load = Load(scenario.nodes, 1, streams, launch.load_core, launch.scratch)
    registrar.run(target, load, omit_members=True)
    body, answer = probe(target, scenario.topology)
    _check(answer, scenario)
    return replace(target, body=h2load.frame(body), answer_bytes=len(h2load.frame(answer)))


def probe(target: Target, topology: Topology) -> tuple[bytes, bytes]:
    """One beat and its answer, both encoded."""
    with _channel(target) as channel:
        # Bytes in and out: the answer's size on the wire is the server's encoding, not ours.
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SERVICE + "GetTopology")
        members = pb.ClusterTopology.FromString(ask(b"", timeout=TIMEOUT_S))
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SERVICE + "Heartbeat")
        request = beat(members.version if topology == "changed" else None).SerializeToString()
        return request, call(request, timeout=TIMEOUT_S)


def _channel(target: Target) -> grpc.Channel:
    if target.authority is None:
        return grpc.insecure_channel(target.address, pyload.CHANNEL_OPTIONS)
    return grpc.secure_channel(target.address, pyload.credentials(target.authority), pyload.CHANNEL_OPTIONS)


def beat(known_version: int | None) -> pb.HeartbeatRequest:
    """A beat of the first node, which tells the version it knows or, as a LauraDB node, nothing of the kind."""
    resources = pb.ResourceStats(
        cpu_percent=12.5, memory_bytes=1 << 30, disk_bytes_used=1 << 33, disk_bytes_total=1 << 38
    )
    status = pb.NodeStatus(role=pb.SECONDARY, last_oplog_id=123_456, resources=resources)
    return pb.HeartbeatRequest(
        node_id=registrar.node(0).id, timestamp=1_700_000_000_000, status=status, known_topology_version=known_version
    )


def _check(encoded: bytes, scenario: Scenario) -> None:
    answer = pb.HeartbeatResponse.FromString(encoded)
    wanted = scenario.nodes if scenario.topology == "always" else 0
    if not answer.ack or len(answer.topology.nodes) != wanted:
        raise WrongAnswersError(f"a beat answers ack={answer.ack} and {len(answer.topology.nodes)} nodes, not {wanted}")
