"""A cluster of real processes: one server, twenty agents, and what an operator expects when some of them die."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest

from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from tests.conftest import TRANSPORTS
from tests.e2e.processes import LauraProcess, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.processes import ServerProcess

    Serve = Callable[..., ServerProcess]
    Run = Callable[..., LauraProcess]

AGENTS = 20
KILLED = 5
JOIN_S = 60.0
"""Twenty interpreters start on two cores."""

DOWN_S = 4.0
SLACK_S = 3.0
"""Of a loaded test machine, on top of the configured time."""

TIMES = ("--heartbeat-interval", "500ms", "--suspect-after", "2s", "--down-after", f"{DOWN_S:g}s")
HEALTHY, DOWN = cluster_pb2.HEALTHY, cluster_pb2.DOWN


class Cluster:
    """What a client of the server at `address` sees."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
        self._admin = admin_pb2_grpc.AdminServiceStub(channel)

    def topology(self) -> cluster_pb2.ClusterTopology:
        return self._cluster.GetTopology(cluster_pb2.GetTopologyRequest(), timeout=5, wait_for_ready=True)

    def states(self) -> dict[str, int]:
        return {node.id: node.state for node in self.topology().nodes}

    def find(self, node_id: str) -> cluster_pb2.Node:
        return next(node for node in self.topology().nodes if node.id == node_id)

    def beaten(self) -> set[str]:
        """Members that have beaten since this server started."""
        status = self._admin.GetClusterStatus(admin_pb2.GetClusterStatusRequest(), timeout=5, wait_for_ready=True)
        return {member.node.id for member in status.members if member.HasField("last_beat_age_ms")}

    def register(self, node_id: str, host: str, port: int) -> cluster_pb2.NodeRegistrationResponse:
        node = cluster_pb2.Node(id=node_id, host=host, port=port)
        return self._cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=5)


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    with grpc.insecure_channel(address) as channel:
        yield Cluster(channel)


class Agents:
    """Twenty agents by node id."""

    def __init__(self, run: Run, address: str) -> None:
        self._run = run
        self._address = address
        self.processes = {f"n{number:02}": self.start(f"n{number:02}") for number in range(AGENTS)}

    def start(self, node_id: str) -> LauraProcess:
        where = ("--host", "127.0.0.1", "--port", str(20_000 + int(node_id[1:])))
        beat = ("--join", self._address, "--interval", "500ms")
        return self._run("agent", "--id", node_id, *where, *beat, name=node_id)

    @property
    def ids(self) -> set[str]:
        return set(self.processes)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_twenty_agents_live_through_the_death_of_five_and_of_the_server(serve: Serve, run: Run, transport: str) -> None:
    server = serve("--transport", transport, *TIMES)
    agents = Agents(run, server.address)
    with connected(server.address) as cluster:
        until(lambda: cluster.beaten() == agents.ids, "twenty members", JOIN_S)
        killed = _five_killed_are_down_in_time(cluster, agents)
        _a_duplicate_id_is_refused(cluster)
        _a_down_node_is_taken_over(cluster, "n00")
        _a_restarted_agent_is_back_at_once(cluster, agents, "n01")
        before = cluster.topology()

    survivors = agents.ids - (killed - {"n01"})
    server.kill()
    server = serve("--transport", transport, *TIMES, port=server.port)
    with connected(server.address) as cluster:
        after = cluster.topology()
        assert after.version >= before.version
        assert [node.id for node in after.nodes] == [node.id for node in before.nodes]
        until(lambda: cluster.beaten() == survivors, "agents that came back without help", JOIN_S)
        assert not {node_id for node_id in survivors if cluster.states()[node_id] == DOWN}
        _an_agent_that_stops_leaves(cluster, agents, "n19")
    assert all(agents.processes[node_id].running for node_id in survivors - {"n19"})
    assert server.terminate() == 0


def _five_killed_are_down_in_time(cluster: Cluster, agents: Agents) -> set[str]:
    killed = set(sorted(agents.ids)[:KILLED])
    for node_id in killed:
        agents.processes[node_id].kill()
    died = time.monotonic()
    until(lambda: {node_id for node_id, state in cluster.states().items() if state == DOWN} == killed, "five DOWN")
    assert time.monotonic() - died < DOWN_S + SLACK_S
    assert {state for node_id, state in cluster.states().items() if node_id not in killed} == {HEALTHY}
    return killed


def _a_duplicate_id_is_refused(cluster: Cluster) -> None:
    version = cluster.topology().version
    answer = cluster.register("n10", "elsewhere", 1)
    assert (answer.success, answer.message) == (False, "node n10 already registered")
    assert [(node.id, node.host) for node in answer.cluster_nodes] == [("n10", "127.0.0.1")]
    assert cluster.topology().version == version


def _a_down_node_is_taken_over(cluster: Cluster, node_id: str) -> None:
    answer = cluster.register(node_id, "elsewhere", 1)
    assert (answer.success, answer.incarnation) == (True, 2)
    assert cluster.find(node_id).host == "elsewhere"


def _a_restarted_agent_is_back_at_once(cluster: Cluster, agents: Agents, node_id: str) -> None:
    agents.processes[node_id] = agents.start(node_id)
    until(lambda: cluster.find(node_id).state == HEALTHY, "restarted agent")
    assert cluster.find(node_id).incarnation == 2


def _an_agent_that_stops_leaves(cluster: Cluster, agents: Agents, node_id: str) -> None:
    assert agents.processes[node_id].terminate() == 0
    assert node_id not in cluster.states()
