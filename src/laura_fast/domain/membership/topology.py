"""The cluster at one version, and the step from one version to the next.

Both are immutable and know their wire form, in pieces that are made on first use and then kept: whoever answers the
same version again pays for one copy.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from laura_fast.domain.membership import encoding
from laura_fast.domain.membership.table import MemberTable

if TYPE_CHECKING:
    from laura_fast.domain.membership.values import Member, ReplicaSet, Shard

_entry = attrgetter("entry")

FIRST_VERSION = 1
_NO_MEMBERS = MemberTable()


class TopologySnapshot:
    """The whole cluster at one version. Treat as frozen.

    Attributes:
        version: Counts changes, from 1.
        table: The members.
        primary_id: The elected primary; empty where there is none.
        replica_sets: Outcome of the elections.
        shards: Who owns which chunks.
    """

    __slots__ = (
        "_encoded",
        "_members",
        "_pieces",
        "primary_id",
        "replica_sets",
        "shards",
        "table",
        "version",
    )

    def __init__(
        self,
        version: int = FIRST_VERSION,
        table: MemberTable = _NO_MEMBERS,
        *,
        primary_id: str = "",
        replica_sets: tuple[ReplicaSet, ...] = (),
        shards: tuple[Shard, ...] = (),
    ) -> None:
        self.version = version
        self.table = table
        self.primary_id = primary_id
        self.replica_sets = replica_sets
        self.shards = shards
        self._encoded: bytes | None = None
        self._pieces: tuple[bytes, ...] | None = None
        self._members: tuple[Member, ...] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, sorted by id."""
        if self._members is None:
            self._members = tuple(self.table)
        return self._members

    def find(self, node_id: str) -> Member | None:
        """The member of that id, in O(log n)."""
        return self.table.find(node_id)

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """`lauradb.cluster.ClusterTopology`, to be joined: an answer that carries it is then one copy."""
        if self._pieces is None:
            self._pieces = (
                encoding.integer(b"\x08", self.version),
                *self.table.pieces(b"\x12"),
                encoding.text(b"\x1a", self.primary_id),
                encoding.replica_sets(b"\x22", self.replica_sets),
                encoding.shards(b"\x2a", self.shards),
            )
        return self._pieces

    @property
    def encoded(self) -> bytes:
        """`lauradb.cluster.ClusterTopology`."""
        if self._encoded is None:
            self._encoded = b"".join(self.pieces)
        return self._encoded


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
    def pieces(self) -> tuple[bytes, ...]:
        """`laura.fast.v1.TopologyDelta`, to be joined."""
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
        return (self._encoded,)
