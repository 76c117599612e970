"""What a cluster is made of. Every value is immutable: a change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class NodeRole(IntEnum):
    """What a node does; the numbers are those of the wire."""

    UNKNOWN = 0
    PRIMARY = 1
    SECONDARY = 2
    ARBITER = 3
    SHARD = 4
    CONFIG_SERVER = 5
    ROUTER = 6


class NodeState(IntEnum):
    """What the failure detector knows of a node; the numbers are those of the wire."""

    HEALTHY = 1
    SUSPECT = 2
    DOWN = 3
    LEAVING = 4


@dataclass(frozen=True, slots=True)
class Registration:
    """A node's wish to be a member."""

    node_id: str
    host: str
    port: int
    role: int = NodeRole.UNKNOWN
    priority: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    take_over: bool = False
    """The caller says that it replaces an earlier process of the same id at the same address."""


@dataclass(frozen=True, slots=True)
class Member:
    """One node of the cluster.

    Attributes:
        id: Unique in the cluster.
        host: Name or address that other nodes dial.
        port: 0 to 65535.
        role: The role the cluster accepts, which may differ from the one the node claims.
        priority: Order in which nodes take over as primary.
        tags: Free labels.
        state: The detector's verdict.
        incarnation: Grows by one with each take-over of the id, from 1.
        entry: The node in wire form with its length in front, encoded once per change; no part of its identity.
    """

    id: str
    host: str
    port: int
    role: NodeRole = NodeRole.UNKNOWN
    priority: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    state: NodeState = NodeState.HEALTHY
    incarnation: int = 1
    entry: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is remembered of a node that left, so that its late heartbeats and its next life are told apart."""

    id: str
    incarnation: int
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What the registry knows of one node: the detector's verdict and the role it last claimed."""

    id: str
    incarnation: int
    state: NodeState
    claimed_role: NodeRole


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """One member's change in one version; `before` is None for a join, `after` for a leave."""

    before: Member | None
    after: Member | None
    version: int


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """Nodes that hold the same data, and the outcome of their latest election."""

    id: str
    node_ids: tuple[str, ...]
    primary_id: str = ""
    term: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A key range: `min_key` inclusive, `max_key` exclusive, empty = unbounded."""

    id: str
    min_key: bytes = b""
    max_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Shard:
    """The chunks that one node owns."""

    id: str
    node_id: str
    chunks: tuple[Chunk, ...] = ()
