"""The cluster as the client knows it: immutable descriptions, and what changed from one to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from laura_fast.pb.laura.fast.v1 import membership_pb2


@dataclass(frozen=True, slots=True)
class Topology:
    """One version of the cluster. The messages inside are shared: read, never change them."""

    version: int = 0
    nodes: Mapping[str, pb.Node] = field(default_factory=lambda: MappingProxyType({}))
    """By id, in the order of ids."""
    primary_id: str = ""
    replica_sets: tuple[pb.ReplicaSet, ...] = ()
    shards: tuple[pb.ShardInfo, ...] = ()

    @classmethod
    def from_message(cls, message: pb.ClusterTopology) -> Self:
        """The description that a server sent."""
        return cls(
            message.version,
            _by_id(message.nodes),
            message.primary_id,
            tuple(message.replica_sets),
            tuple(message.shards),
        )

    def applied(self, version: int, delta: membership_pb2.TopologyDelta) -> Self:
        """The next version. The caller has checked that `delta` begins at this one."""
        nodes = {**self.nodes, **{node.id: node for node in delta.upserted}}
        for node_id in delta.removed_ids:
            nodes.pop(node_id, None)
        return type(self)(
            version, _by_id(nodes.values()), delta.primary_id, tuple(delta.replica_sets), tuple(delta.shards)
        )


def _by_id(nodes: Iterable[pb.Node]) -> Mapping[str, pb.Node]:
    return MappingProxyType({node.id: node for node in sorted(nodes, key=lambda node: node.id)})


class ChangeKind(StrEnum):
    """What happened to a node."""

    JOINED = "joined"
    LEFT = "left"
    LEAVING = "leaving"
    SUSPECT = "suspect"
    DOWN = "down"
    BACK = "back"
    RESTARTED = "restarted"
    ROLE = "role"
    UPDATED = "updated"
    PRIMARY = "primary"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different in `version`.

    Attributes:
        node: The node as it is now, or as it last was where it left.
        before: The node as it was; None where it joined.
    """

    version: int
    kind: ChangeKind
    node: pb.Node
    before: pb.Node | None = None


def changes(before: Topology, after: Topology) -> list[Change]:
    """What a reader of `before` must be told to know `after`, in the order of ids; several versions may lie between."""
    found = [change for node_id in sorted({*before.nodes, *after.nodes}) for change in _of(node_id, before, after)]
    if after.primary_id and after.primary_id != before.primary_id and after.primary_id in after.nodes:
        found.append(Change(after.version, ChangeKind.PRIMARY, after.nodes[after.primary_id]))
    return found


def _of(node_id: str, before: Topology, after: Topology) -> Iterator[Change]:
    old, new = before.nodes.get(node_id), after.nodes.get(node_id)
    if old is new:  # an unchanged entry is the same object from version to version
        return
    if old is None and new is not None:
        yield Change(after.version, ChangeKind.JOINED, new)
    elif new is None and old is not None:
        yield Change(after.version, ChangeKind.LEFT, old, old)
    elif new is not None and old is not None:
        for kind in _kinds(old, new):
            yield Change(after.version, kind, new, old)


_KIND_OF_STATE = {
    pb.SUSPECT: ChangeKind.SUSPECT,
    pb.DOWN: ChangeKind.DOWN,
    pb.LEAVING: ChangeKind.LEAVING,
    pb.HEALTHY: ChangeKind.BACK,
}


def _kinds(old: pb.Node, new: pb.Node) -> Iterator[ChangeKind]:
    if old.state != new.state and new.state in _KIND_OF_STATE:
        yield _KIND_OF_STATE[new.state]
    elif old.incarnation != new.incarnation:
        yield ChangeKind.RESTARTED
    if old.role != new.role:
        yield ChangeKind.ROLE
    if _described(old) != _described(new):
        yield ChangeKind.UPDATED


def _described(node: pb.Node) -> tuple[object, ...]:
    return node.host, node.port, node.priority, dict(node.tags)
