"""What the scenarios are played by: nodes, watchers, pollers and joiners."""

from __future__ import annotations

import itertools
import os
import random
import socket
import time
from typing import TYPE_CHECKING, Any, Final

import gevent
import grpc
from locust import User, task

import common.session  # noqa: F401 - its listeners are what makes a run measured and judged
from common.channels import Channels
from laura_fast.pb.laura.fast.v1 import membership_pb2, membership_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from locust.env import Environment

DEADLINE_S: Final = 10.0
"""Of every unary call, beyond what the call asks the server to wait; constant, as a real client's is."""

_numbers = itertools.count()
_channels: dict[int, Channels] = {}


class RpcUser(User):
    """A user with a share of a connection, the stubs, and dice of its own."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.number = next(_numbers)
        options: Any = environment.parsed_options
        self.options = options
        self.rng = random.Random(f"{options.seed}/{type(self).__name__}/{self.number}")
        self._channels = _channels.setdefault(id(environment), Channels(environment.events.request.fire))

    def on_start(self) -> None:
        """Opens the connection; a subclass goes on from here."""
        self.channel = self._channels.take(self.host or self.environment.host or "")
        self.cluster = cluster_pb2_grpc.ClusterServiceStub(self.channel)
        self.membership = membership_pb2_grpc.MembershipServiceStub(self.channel)

    def on_stop(self) -> None:
        """Gives the connection back."""
        self._channels.give_back(self.channel)


class MemberUser(RpcUser):
    """What a node can do: join, beat, leave. When it does so is for the subclasses (locust inherits tasks)."""

    abstract = True

    def on_start(self) -> None:
        super().on_start()
        self.node = new_node(self.number, self.rng)
        self.joined = False
        self.known_version = 0
        self.incarnation = 0

    def on_stop(self) -> None:
        if self.joined:
            self.leave()
        super().on_stop()

    def join(self, *, take_over: bool = False) -> None:
        """Registers; refused and failed registrations are counted by the interceptor."""
        request = cluster_pb2.NodeRegistrationRequest(
            node=self.node, take_over=take_over, omit_members=self.options.omit_members
        )
        answer = call(self.cluster.RegisterNode, request)
        if answer is not None and answer.success:
            self.joined = True
            self.incarnation = answer.incarnation
            self.known_version = answer.topology.version

    def beat(self) -> None:
        """One heartbeat; a newer topology in the answer becomes the known one."""
        request = cluster_pb2.HeartbeatRequest(
            node_id=self.node.id,
            timestamp=time.time_ns() // 1_000_000,
            status=cluster_pb2.NodeStatus(role=self.node.role, last_oplog_id=self.rng.getrandbits(40)),
            known_topology_version=self.known_version,
            incarnation=self.incarnation,
        )
        answer = call(self.cluster.Heartbeat, request)
        if answer is not None and answer.topology.version:
            self.known_version = answer.topology.version

    def leave(self) -> None:
        """Deregisters."""
        self.joined = False
        request = cluster_pb2.NodeDeregistrationRequest(node_id=self.node.id, reason="load test")
        call(self.cluster.DeregisterNode, request)


class NodeUser(MemberUser):
    """A node of the cluster: joins, beats, now and then dies and comes back, and leaves at the end.

    Beats follow a schedule: a slow answer does not move the next beat, so a slow server meets the same load.
    """

    abstract = True

    def on_start(self) -> None:
        super().on_start()
        self.join()
        self.next_beat = time.monotonic() + self.rng.random() * self.options.beat_interval

    def wait_time(self) -> float:
        """Seconds until the next beat is due."""
        spread = self.options.beat_interval * self.options.beat_jitter
        self.next_beat += self.options.beat_interval + self.rng.uniform(-spread, spread)
        return max(0.0, float(self.next_beat - time.monotonic()))

    @task
    def live(self) -> None:
        """One beat, or a death."""
        if self.rng.random() < self.options.death_rate:
            self.die_and_return()
        else:
            self.beat()

    def die_and_return(self) -> None:
        """Half of the dead say good-bye; the others are found out by their silence and take their place back."""
        says_goodbye = self.rng.random() < 0.5
        if says_goodbye:
            self.leave()
        gevent.sleep(self.options.down_time)
        self.join(take_over=not says_goodbye)
        self.next_beat = time.monotonic()


class JoinerUser(MemberUser):
    """Joins and leaves without rest, each time under a new name."""

    abstract = True

    def wait_time(self) -> float:
        """None: a storm."""
        return 0.0

    @task
    def join_and_leave(self) -> None:
        """One join and one leave."""
        self.node = new_node(next(_numbers), self.rng)
        self.join()
        self.leave()


class ChurnUser(JoinerUser):
    """Changes the topology once per beat interval, so that watchers and pollers have news."""

    abstract = True
    fixed_count = 1

    def wait_time(self) -> float:
        """One change per beat interval."""
        return float(self.options.beat_interval)


class WatcherUser(RpcUser):
    """Holds one WatchTopology stream and checks that versions only grow."""

    abstract = True

    @task
    def watch(self) -> None:
        """Reads events until the stream ends, then opens it again from the last version."""
        version = 0
        while True:
            stream = self.membership.WatchTopology(membership_pb2.WatchTopologyRequest(from_version=version))
            try:
                for event in stream:
                    if event.version < version:
                        raise AssertionError(f"version {event.version} after {version}")
                    version = event.version
            except grpc.RpcError:
                gevent.sleep(1.0)  # counted by the interceptor
            finally:
                stream.cancel()


class PollerUser(RpcUser):
    """Polls GetTopology with the version it knows, waiting for news if asked to."""

    abstract = True

    def on_start(self) -> None:
        super().on_start()
        self.known_version = 0

    def wait_time(self) -> float:
        """A long poll waits in the server; a short one at the client."""
        return 0.0 if self.options.long_poll else self.rng.uniform(0.5, 1.5) * self.options.beat_interval

    @task
    def poll(self) -> None:
        """One poll; an empty answer means nothing changed."""
        request = cluster_pb2.GetTopologyRequest(
            min_version=self.known_version, wait_ms=round(self.options.long_poll * 1000)
        )
        answer = call(self.cluster.GetTopology, request, self.options.long_poll)
        if answer is None:
            gevent.sleep(1.0)
        elif answer.version:
            self.known_version = answer.version


def new_node(number: int, rng: random.Random) -> cluster_pb2.Node:
    """A node that no other process of this test has."""
    return cluster_pb2.Node(
        id=f"load-{socket.gethostname()}-{os.getpid()}-{number}",
        host=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        port=rng.randint(27_000, 27_999),
        role=cluster_pb2.NodeRole.SECONDARY,
        priority=rng.randint(1, 10),
        tags={"rack": rng.choice("abcdef")},
    )


def call(method: Any, request: Any, waiting_s: float = 0.0) -> Any:
    """Makes a unary call; None where it failed, which the interceptor has counted."""
    try:
        return method(request, timeout=DEADLINE_S + waiting_s)
    except grpc.RpcError:
        return None
