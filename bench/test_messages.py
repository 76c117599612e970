"""Protobuf at the edge: parsing and serialising each hot message, and the answer that is joined instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench import data
from laura_fast.pb.lauradb.cluster import cluster_pb2
from laura_fast.services import nodes as answers
from laura_fast.services.cluster import BeatReader
from laura_fast.testing.clock import VirtualClock

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from laura_fast.domain.membership.topology import TopologySnapshot

NODE = data.nodes(1)[0]
MESSAGES: dict[str, Any] = {
    "heartbeat_request": data.beat(NODE, known_version=1),
    "heartbeat_response": cluster_pb2.HeartbeatResponse(ack=True, timestamp=data.EPOCH_MS),
    "registration_request": data.registration(NODE),
    "registration_response_100": cluster_pb2.NodeRegistrationResponse(
        success=True, cluster_nodes=data.topology(100).nodes, topology=data.topology(100)
    ),
    "get_topology_request": cluster_pb2.GetTopologyRequest(min_version=7),
    "topology_10": data.topology(10),
    "topology_1000": data.topology(1_000),
}
EACH = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)


@pytest.mark.benchmark(group="messages")
@EACH
def test_parse(benchmark: BenchmarkFixture, message: Any) -> None:
    """From bytes to a message."""
    assert benchmark(type(message).FromString, message.SerializeToString()) == message


@pytest.mark.benchmark(group="messages")
@EACH
def test_serialise(benchmark: BenchmarkFixture, message: Any) -> None:
    """From a message to bytes."""
    assert type(message).FromString(benchmark(message.SerializeToString)) == message


@pytest.mark.benchmark(group="messages")
def test_joined_heartbeat_answer(benchmark: BenchmarkFixture) -> None:
    """The answer to a beat without protobuf."""
    assert benchmark(answers.heartbeat_answer, data.EPOCH_MS) == MESSAGES["heartbeat_response"].SerializeToString()


class _Accepting:
    """Membership that accepts every beat: leaves only the reading of the request."""

    def heartbeat(self, *_fields: object) -> TopologySnapshot | None:
        return None


@pytest.mark.benchmark(group="messages")
def test_read_beat(benchmark: BenchmarkFixture) -> None:
    """A beat read and its answer found: what the service adds to the registry's cost."""
    clock = VirtualClock(wall_ms=data.EPOCH_MS)
    raw = MESSAGES["heartbeat_request"].SerializeToString()
    reader = BeatReader(_Accepting(), clock)  # type: ignore[arg-type]  # the one method it uses
    assert benchmark(reader.answer, raw, None) == answers.heartbeat_answer(data.EPOCH_MS)
