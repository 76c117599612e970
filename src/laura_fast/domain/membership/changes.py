"""The one step of the membership machine: a topology and a batch of changes in, a new topology out.

===============================================  =====================================================================
input                                            outcome
===============================================  =====================================================================
Join, id unknown                                 member, incarnation 1 or the tombstone's + 1
Join, the holder is DOWN                         take-over, incarnation + 1
Join, the holder is SUSPECT, same address        take-over, incarnation + 1
Join with `take_over`, same address              take-over, incarnation + 1
Join, any other holder                           refused, nothing changes
Leave, id known / unknown                        member dropped, tombstone kept / refused
Observe                                          states and roles of all observed members in one version
Place                                            replica sets and shards replaced
===============================================  =====================================================================

Invariants:
    1. Every change of content has its own version, one above the last; nothing else moves the version.
    2. Members stay sorted by id and ids are unique.
    3. An incarnation of an id is never given twice while its tombstone is remembered.
    4. The role PRIMARY belongs to the elected primary alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from laura_fast.domain.membership.encoding import prefixed
from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
from laura_fast.domain.membership.validation import deregistration_fault, registration_fault
from laura_fast.domain.membership.values import (
    Member,
    MemberChanged,
    NodeRole,
    NodeState,
    Observation,
    Registration,
    ReplicaSet,
    Shard,
    Tombstone,
)
from laura_fast.limits import membership as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Join:
    """A node asks to be a member."""

    wish: Registration


@dataclass(frozen=True, slots=True)
class Leave:
    """A node leaves for good."""

    node_id: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Observe:
    """What the registry found since the last batch."""

    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Who holds what data, as decided by elections and the balancer."""

    replica_sets: tuple[ReplicaSet, ...] = ()
    shards: tuple[Shard, ...] = ()


Change: TypeAlias = Join | Leave | Observe | Place


class Outcome(NamedTuple):
    """The answer to one change.

    Attributes:
        accepted: False for a refusal, which changed nothing.
        message: For the caller.
        member: The member that joined, left or, for a refused join, holds the id.
        full: Refused because a limit of the cluster is reached, not because of the change itself.
    """

    accepted: bool
    message: str = ""
    member: Member | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step made. Act in this order: persist, publish, answer, tell observers.

    Attributes:
        members: Final form of each touched member; None = gone.
        tombstones: Final form of each touched tombstone; None = gone.
        topology: The new topology; the old one itself where nothing changed.
        deltas: One per version, in order.
        outcomes: One per change, in order.
        changed: Every member's change, in order.
    """

    members: Mapping[str, Member | None]
    tombstones: Mapping[str, Tombstone | None]
    topology: TopologySnapshot
    deltas: tuple[TopologyDelta, ...]
    outcomes: tuple[Outcome, ...]
    changed: tuple[MemberChanged, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a step needs to know beside the state.

    Attributes:
        encode: A member as the bytes of `lauradb.cluster.Node`.
        elected_primary: The id that the elections chose; empty = none.
        max_nodes: Members of one cluster.
        max_bytes: Encoded members of one cluster.
        max_tombstones: Nodes that left and are remembered; the oldest are forgotten first.
    """

    encode: Callable[[Member], bytes]
    elected_primary: str = ""
    max_nodes: int = limits.MAX_NODES
    max_bytes: int = limits.MAX_TOPOLOGY_BYTES
    max_tombstones: int = limits.MAX_TOMBSTONES


def step(
    topology: TopologySnapshot, tombstones: Mapping[str, Tombstone], changes: Iterable[Change], rules: Rules
) -> Batch:
    """Applies changes in order. Neither `topology` nor `tombstones` (oldest first) is touched."""
    draft = _Draft(topology, tombstones, rules)
    outcomes = tuple(draft.apply(change) for change in changes)
    return draft.finish(outcomes)


class _Draft:
    """A topology in the making: mutable inside one step, seen by nobody else."""

    def __init__(self, topology: TopologySnapshot, tombstones: Mapping[str, Tombstone], rules: Rules) -> None:
        self._base = topology
        self._buried = tombstones
        self._rules = rules
        self._table = topology.table
        self._version = topology.version
        self._primary_id = topology.primary_id
        self._replica_sets = topology.replica_sets
        self._shards = topology.shards
        self._touched: dict[str, Member | None] = {}
        self._tombstones: dict[str, Tombstone | None] = {}
        self._deltas: list[TopologyDelta] = []
        self._changed: list[MemberChanged] = []

    def apply(self, change: Change) -> Outcome:
        match change:
            case Join(wish):
                return self._join(wish)
            case Leave():
                return self._leave(change)
            case Observe(observations):
                return self._observe(observations)
            case Place():
                return self._place(change)

    def finish(self, outcomes: tuple[Outcome, ...]) -> Batch:
        self._forget_oldest()
        topology = self._base
        if self._deltas:
            topology = TopologySnapshot(
                self._version,
                self._table,
                primary_id=self._primary_id,
                replica_sets=self._replica_sets,
                shards=self._shards,
            )
        changed = tuple(self._changed)
        return Batch(self._touched, self._tombstones, topology, tuple(self._deltas), outcomes, changed)

    def _join(self, wish: Registration) -> Outcome:
        if fault := registration_fault(wish):
            return Outcome(False, fault)
        holder = self._table.find(wish.node_id)
        if holder and not _may_take_over(wish, holder):
            return Outcome(False, f"node {wish.node_id} already registered", holder)
        member = self._admit(wish, holder)
        if fault := self._room_fault(member, holder):
            return Outcome(False, fault, full=True)
        if self._tombstone(member.id):
            self._tombstones[member.id] = None
        self._commit_version([(holder, member)])
        verb = "took over its earlier incarnation" if holder else "registered"
        return Outcome(True, f"node {member.id} {verb}", member)

    def _admit(self, wish: Registration, holder: Member | None) -> Member:
        earlier = holder or self._tombstone(wish.node_id)
        return self._encoded(
            Member(
                id=wish.node_id,
                host=wish.host,
                port=wish.port,
                role=self._accepted_role(wish.node_id, NodeRole(wish.role)),
                priority=wish.priority,
                tags=dict(wish.tags),
                incarnation=earlier.incarnation + 1 if earlier else 1,
            )
        )

    def _room_fault(self, member: Member, holder: Member | None) -> str:
        if not holder and len(self._table) >= self._rules.max_nodes:
            return f"the cluster has {self._rules.max_nodes} nodes, no room for more"
        size = self._table.size_bytes + len(member.entry) - (len(holder.entry) if holder else 0)
        if size > self._rules.max_bytes:
            return f"the topology would have {size} bytes, more than {self._rules.max_bytes}"
        return ""

    def _leave(self, leave: Leave) -> Outcome:
        if fault := deregistration_fault(leave.node_id, leave.reason):
            return Outcome(False, fault)
        member = self._table.find(leave.node_id)
        if member is None:
            return Outcome(False, f"node {leave.node_id} not found")
        self._tombstones[member.id] = Tombstone(member.id, member.incarnation, leave.reason, leave.at_ms)
        self._commit_version([(member, None)])
        return Outcome(True, f"node {member.id} deregistered{self._orphans_of(member.id)}", member)

    def _orphans_of(self, node_id: str) -> str:
        orphans = [shard.id for shard in self._shards if shard.node_id == node_id and shard.chunks]
        return f"; unreachable until moved: shard {', '.join(orphans)}" if orphans else ""

    def _observe(self, observations: Iterable[Observation]) -> Outcome:
        steps = [(before, after) for each in observations for before, after in self._reconsider(each)]
        if steps:
            self._commit_version(steps)
        return Outcome(True)

    def _reconsider(self, seen: Observation) -> Iterable[tuple[Member, Member]]:
        before = self._table.find(seen.id)
        if before is None or before.incarnation != seen.incarnation:
            return
        claimed = before.role if seen.claimed_role is NodeRole.UNKNOWN else seen.claimed_role
        role = self._accepted_role(seen.id, claimed)
        if (role, seen.state) != (before.role, before.state):
            yield before, self._encoded(replace(before, role=role, state=seen.state))

    def _place(self, place: Place) -> Outcome:
        if (place.replica_sets, place.shards) != (self._replica_sets, self._shards):
            self._replica_sets, self._shards = place.replica_sets, place.shards
            self._commit_version([])
        return Outcome(True)

    def _accepted_role(self, node_id: str, claimed: NodeRole) -> NodeRole:
        if claimed is NodeRole.PRIMARY and node_id != self._rules.elected_primary:
            return NodeRole.SECONDARY
        return claimed

    def _encoded(self, member: Member) -> Member:
        return replace(member, entry=prefixed(self._rules.encode(member)))

    def _tombstone(self, node_id: str) -> Tombstone | None:
        return self._tombstones[node_id] if node_id in self._tombstones else self._buried.get(node_id)

    def _commit_version(self, steps: Sequence[tuple[Member | None, Member | None]]) -> None:
        self._version += 1
        for before, after in steps:
            self._put(before, after)
            self._changed.append(MemberChanged(before, after, self._version))
        upserted = tuple(after for _, after in steps if after)
        removed = tuple(before.id for before, after in steps if before and not after)
        self._deltas.append(
            TopologyDelta(
                self._version,
                upserted,
                removed,
                primary_id=self._primary_id,
                replica_sets=self._replica_sets,
                shards=self._shards,
            )
        )

    def _forget_oldest(self) -> None:
        growth = sum((stone is not None) - (node_id in self._buried) for node_id, stone in self._tombstones.items())
        excess = len(self._buried) + growth - self._rules.max_tombstones
        oldest = (node_id for node_id in self._buried if node_id not in self._tombstones)
        self._tombstones.update(dict.fromkeys(islice(oldest, max(excess, 0))))

    def _put(self, before: Member | None, after: Member | None) -> None:
        member = after or before
        assert member is not None, "a change has a before or an after"  # noqa: S101 - invariant, kept on
        self._table = self._table.put(after) if after else self._table.drop(member.id)
        self._touched[member.id] = after
        self._follow_primary(member.id, after)

    def _follow_primary(self, node_id: str, after: Member | None) -> None:
        if after and after.role is NodeRole.PRIMARY:
            self._primary_id = node_id
        elif self._primary_id == node_id:
            self._primary_id = ""


def _may_take_over(wish: Registration, holder: Member) -> bool:
    same_address = (wish.host, wish.port) == (holder.host, holder.port)
    return holder.state is NodeState.DOWN or (same_address and (wish.take_over or holder.state is NodeState.SUSPECT))
