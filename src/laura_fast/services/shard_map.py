"""The map of a cluster with one shard."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from laura_fast.pb.lauradb.cluster import common_pb2, routing_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION: Final = 1
"""With one shard that has everything, the map never changes."""

_EVERY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True)
class HomeShard:
    """The shard that every collection is in.

    Attributes:
        shard_id: Its name; that of its only node.
        address: Where clients reach the node, `host:port`; known when the server listens.
    """

    shard_id: str
    address: Callable[[], str]

    def shard_map(self, namespace: str, version: int, *, known: bool) -> routing_pb2.GetShardMapResponse:
        """The answer to a client that has `version` of the map (0: none); without shards when it is up to date.

        Args:
            namespace: `database.collection`.
            version: What the client has.
            known: Whether the database exists. The map of one that does not is empty.
        """
        answer = routing_pb2.GetShardMapResponse(
            version=VERSION, shard_key_field="_id", strategy=routing_pb2.ShardingStrategy.HASH
        )
        if known and version < VERSION:
            everything = common_pb2.ChunkRange(chunk_id=f"{namespace}-0")
            host, port = _reachable(self.address())
            answer.shards.add(shard_id=self.shard_id, node_id=self.shard_id, host=host, port=port, chunks=[everything])
        return answer


def _reachable(address: str) -> tuple[str, int]:
    """Host and port to dial; of a server that listens on every address, the machine's name."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    return (socket.gethostname() if host in _EVERY_ADDRESS else host), int(port)
