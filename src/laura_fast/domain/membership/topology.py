"""The cluster at one version, and the step from one version to the next.

Both are immutable and know their wire form, which is joined on first use and then kept: whoever answers the same
version again pays for a copy at most.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from laura_fast.domain.membership import encoding

if TYPE_CHECKING:
    from laura_fast.domain.membership.values import Member, ReplicaSet, Shard

by_id = attrgetter("id")
_entry = attrgetter("entry")

FIRST_VERSION = 1


class TopologySnapshot:
    """The whole cluster at one version. Treat as frozen.

    Attributes:
        version: Counts changes, from 1.
        members: Sorted by id.
        primary_id: The elected primary; empty where there is none.
        replica_sets: Outcome of the elections.
        shards: Who owns which chunks.
        size_bytes: All members' entries together.
    """

    __slots__ = (
        "_encoded",
        "_encoded_members",
        "members",
        "primary_id",
        "replica_sets",
        "shards",
        "size_bytes",
        "version",
    )

    def __init__(
        self,
        version: int = FIRST_VERSION,
        members: tuple[Member, ...] = (),
        *,
        primary_id: str = "",
        replica_sets: tuple[ReplicaSet, ...] = (),
        shards: tuple[Shard, ...] = (),
        size_bytes: int = 0,
    ) -> None:
        self.version = version
        self.members = members
        self.size_bytes = size_bytes
        self.primary_id = primary_id
        self.replica_sets = replica_sets
        self.shards = shards
        self._encoded: bytes | None = None
        self._encoded_members: bytes | None = None

    def find(self, node_id: str) -> Member | None:
        """The member of that id, in O(log n)."""
        at = bisect_left(self.members, node_id, key=by_id)
        return self.members[at] if at < len(self.members) and self.members[at].id == node_id else None

    @property
    def encoded(self) -> bytes:
        """`lauradb.cluster.ClusterTopology`."""
        if self._encoded is None:
            self._encoded = b"".join(
                (
                    encoding.integer(b"\x08", self.version),
                    encoding.repeated(b"\x12", [*map(_entry, self.members)]),
                    encoding.text(b"\x1a", self.primary_id),
                    encoding.replica_sets(b"\x22", self.replica_sets),
                    encoding.shards(b"\x2a", self.shards),
                )
            )
        return self._encoded

    @property
    def encoded_members(self) -> bytes:
        """Field `cluster_nodes` of `lauradb.cluster.NodeRegistrationResponse`."""
        if self._encoded_members is None:
            self._encoded_members = encoding.repeated(b"\x1a", [*map(_entry, self.members)])
        return self._encoded_members


class TopologyDelta:
    """What `version` changed of the version before it. Treat as frozen.

    Attributes:
        version: The version this step leads to; it starts at the one before.
        upserted: Members that are new or changed, whole.
        removed_ids: Members that left.
        primary_id: As in the snapshot of `version`; the same holds for `replica_sets` and `shards`.
    """

    __slots__ = ("_encoded", "primary_id", "removed_ids", "replica_sets", "shards", "upserted", "version")

    def __init__(
        self,
        version: int,
        upserted: tuple[Member, ...] = (),
        removed_ids: tuple[str, ...] = (),
        *,
        primary_id: str = "",
        replica_sets: tuple[ReplicaSet, ...] = (),
        shards: tuple[Shard, ...] = (),
    ) -> None:
        self.version = version
        self.upserted = upserted
        self.removed_ids = removed_ids
        self.primary_id = primary_id
        self.replica_sets = replica_sets
        self.shards = shards
        self._encoded: bytes | None = None

    @property
    def size(self) -> int:
        """How many members it holds: what a history of deltas is bounded by."""
        return len(self.upserted) + len(self.removed_ids)

    @property
    def encoded(self) -> bytes:
        """`laura.fast.v1.TopologyDelta`."""
        if self._encoded is None:
            self._encoded = b"".join(
                (
                    encoding.integer(b"\x08", self.version - 1),
                    encoding.repeated(b"\x12", [*map(_entry, self.upserted)]),
                    b"".join(encoding.blob(b"\x1a", node_id.encode()) for node_id in self.removed_ids),
                    encoding.text(b"\x22", self.primary_id),
                    encoding.replica_sets(b"\x2a", self.replica_sets),
                    encoding.shards(b"\x32", self.shards),
                )
            )
        return self._encoded
