"""Membership against a naive model: joins, leaves, beats, ticks, pauses and crashes in any order give the same cluster.

The model keeps one plain record per node and judges every node at every tick, which is what the registry and the timing
wheel must be indistinguishable from.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from laura_fast.domain.membership.values import NodeRole, NodeState, Registration
from laura_fast.errors import NotFoundError
from laura_fast.node.membership import Membership
from laura_fast.node.settings import MembershipSettings
from laura_fast.services.nodes import encode_node
from laura_fast.testing.clock import VirtualClock
from laura_fast.testing.membership import FragileMetadata

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologySnapshot

TICK_S: Final = 0.25
IDS: Final = st.sampled_from("abcd")
HOSTS: Final = st.sampled_from(["h1", "h2"])
ROLES: Final = st.sampled_from([NodeRole.UNKNOWN, NodeRole.PRIMARY, NodeRole.SECONDARY, NodeRole.SHARD])
HEALTHY, SUSPECT, DOWN = NodeState.HEALTHY, NodeState.SUSPECT, NodeState.DOWN


@dataclass
class Known:
    """The model's record of one node."""

    host: str
    role: NodeRole
    incarnation: int
    heard: float
    state: NodeState = HEALTHY
    sent_version: int = 0
    sent_at: float = 0.0


def accepted(role: NodeRole) -> NodeRole:
    return NodeRole.SECONDARY if role is NodeRole.PRIMARY else role


class MembershipMachine(RuleBasedStateMachine):
    """Every rule acts on both and compares what they answer."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = VirtualClock()
        self.store = FragileMetadata()
        self.now = 0.0
        self.version = 1
        self.nodes: dict[str, Known] = {}
        self.gone: dict[str, int] = {}
        self.runner.run(self.start())

    async def start(self) -> None:
        self.membership = Membership(self.store, self.clock, MembershipSettings(stripes=2), encode_node)
        await self.membership.start()

    def settle(self) -> None:
        async def turns() -> None:
            for _ in range(6):
                await asyncio.sleep(0)

        self.runner.run(turns())

    @rule(node_id=IDS, host=HOSTS, role=ROLES, take_over=st.booleans())
    def join(self, node_id: str, host: str, role: NodeRole, take_over: bool) -> None:
        wish = Registration(node_id, host, 1, role, take_over=take_over)
        outcome = self.runner.run(self.membership.register(wish))
        holder = self.nodes.get(node_id)
        same = holder is not None and holder.host == host
        welcome = holder is None or holder.state is DOWN or (same and (take_over or holder.state is SUSPECT))
        assert outcome.success == welcome
        if welcome:
            earlier = holder.incarnation if holder else self.gone.pop(node_id, 0)
            self.nodes[node_id] = Known(host, accepted(role), earlier + 1, self.now)
            self.version += 1

    @rule(node_id=IDS)
    def leave(self, node_id: str) -> None:
        outcome = self.runner.run(self.membership.deregister(node_id, ""))
        assert outcome.success == (node_id in self.nodes)
        if node_id in self.nodes:
            self.gone[node_id] = self.nodes.pop(node_id).incarnation
            self.version += 1

    @rule(node_id=IDS, role=ROLES, lag=st.integers(0, 2), known=st.none() | st.integers(0, 20))
    def beat(self, node_id: str, role: NodeRole, lag: int, known: int | None) -> None:
        node = self.nodes.get(node_id)
        incarnation = max(0, node.incarnation - lag) if node and lag else 0
        if node is None or 0 < incarnation < node.incarnation:
            with pytest.raises(NotFoundError, match=f"^node {node_id} not registered$"):
                self.membership.heartbeat(node_id, incarnation, role)
            return
        attached = self.membership.heartbeat(node_id, incarnation, role, known_version=known)
        self.expect_attached(node, attached, known)
        node.heard = self.now
        role = accepted(role) or node.role
        if (node.state, node.role) != (HEALTHY, role):
            node.state, node.role = HEALTHY, role
            self.version += 1
        self.settle()

    def expect_attached(self, node: Known, attached: TopologySnapshot | None, known: int | None) -> None:
        lacks = node.sent_version < self.version or self.now - node.sent_at >= 30
        if known is not None:
            lacks = known < self.version
        assert (attached is not None) == lacks
        if attached:
            assert attached.version == self.version
            node.sent_version, node.sent_at = self.version, self.now

    @rule(ticks=st.integers(1, 60))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.clock.advance(TICK_S)
            self.tick()

    @rule(seconds=st.integers(1, 35))
    def all_beat(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time_passes(4)
            for node_id in self.nodes:
                self.beat(node_id, NodeRole.UNKNOWN, 0, None)

    @rule(pause_s=st.integers(2, 1_000))
    def server_pauses(self, pause_s: int) -> None:
        """The whole pause counts as one tick: nobody could be heard."""
        self.clock.advance(float(pause_s))
        self.tick()

    def tick(self) -> None:
        self.membership.tick()
        self.settle()
        self.now += TICK_S
        changed = False
        for node in self.nodes.values():
            silent = self.now - node.heard
            worse = DOWN if silent >= 10 else SUSPECT if silent >= 3 else node.state
            changed |= worse > node.state
            node.state = max(worse, node.state)
        self.version += changed
        self.clusters_are_equal()

    @rule()
    def crash_and_restart(self) -> None:
        async def restart() -> None:
            tasks = self.membership._tasks
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.start()

        self.runner.run(restart())
        for node in self.nodes.values():
            node.heard, node.sent_version = self.now, 0

    @invariant()
    def clusters_are_equal(self) -> None:
        topology = self.membership.topology
        assert topology.version == self.version
        assert [(m.id, m.host, m.role, m.incarnation, m.state) for m in topology.members] == [
            (node_id, node.host, node.role, node.incarnation, node.state)
            for node_id, node in sorted(self.nodes.items())
        ]
        assert topology.table.size_bytes == sum(len(member.entry) for member in topology.members)

    def teardown(self) -> None:
        self.runner.run(self.membership.stop())
        self.runner.close()


TestMembershipModel = MembershipMachine.TestCase
TestMembershipModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
