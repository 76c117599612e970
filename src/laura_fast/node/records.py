"""The durable form of membership: keys and values of the metadata store.

=========================  ==============================================
key                        value
=========================  ==============================================
membership/version         msgpack integer
membership/member/<id>     msgpack map of `Member`, without its wire form
membership/stone/<id>      msgpack map of `Tombstone`
=========================  ==============================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from laura_fast.domain.membership.encoding import prefixed
from laura_fast.domain.membership.table import MemberTable
from laura_fast.domain.membership.topology import FIRST_VERSION, TopologySnapshot
from laura_fast.domain.membership.values import Member, NodeRole, Tombstone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.membership.changes import Batch
    from laura_fast.metadata.store import MetadataStore

PREFIX: Final = b"membership/"
VERSION_KEY: Final = PREFIX + b"version"
MEMBER_PREFIX: Final = PREFIX + b"member/"
TOMBSTONE_PREFIX: Final = PREFIX + b"stone/"

_encode = msgspec.msgpack.Encoder().encode
_decode_version = msgspec.msgpack.Decoder(int).decode
_decode_member = msgspec.msgpack.Decoder(Member).decode
_decode_tombstone = msgspec.msgpack.Decoder(Tombstone).decode


class Restored(NamedTuple):
    """What the store held."""

    topology: TopologySnapshot
    tombstones: dict[str, Tombstone]
    """Oldest first."""


def restore(store: MetadataStore, encode: Callable[[Member], bytes]) -> Restored:
    """Reads membership as it was last committed; a fresh store holds an empty cluster at version 1.

    Args:
        store: Where it is.
        encode: A member as the bytes of `lauradb.cluster.Node`.
    """
    versions = [_decode_version(value) for _, value in store.read(VERSION_KEY)]
    bare = (_decode_member(value) for _, value in store.read(MEMBER_PREFIX))
    members = tuple(replace(member, entry=prefixed(encode(member))) for member in bare)
    stones = sorted(
        (_decode_tombstone(value) for _, value in store.read(TOMBSTONE_PREFIX)), key=lambda stone: stone.at_ms
    )
    topology = TopologySnapshot(
        versions[0] if versions else FIRST_VERSION,
        MemberTable.of(members),
        primary_id=next((member.id for member in members if member.role is NodeRole.PRIMARY), ""),
    )
    return Restored(topology, {stone.id: stone for stone in stones})


async def persist(store: MetadataStore, before: TopologySnapshot, batch: Batch) -> None:
    """Makes a batch durable, all or nothing.

    Raises:
        LauraError: It is not durable; nothing was applied.
    """
    puts: dict[bytes, bytes] = {VERSION_KEY: _encode(batch.topology.version)}
    deletes: list[bytes] = []
    _sort_out(MEMBER_PREFIX, batch.members, puts, deletes)
    _sort_out(TOMBSTONE_PREFIX, batch.tombstones, puts, deletes)
    expected = None if before.version == FIRST_VERSION else _encode(before.version)
    await store.commit(expect={VERSION_KEY: expected}, put=puts, delete=deletes)


def _sort_out(
    prefix: bytes, finals: Mapping[str, Member | Tombstone | None], puts: dict[bytes, bytes], deletes: list[bytes]
) -> None:
    for node_id, final in finals.items():
        key = prefix + node_id.encode()
        if final is None:
            deletes.append(key)
        else:
            puts[key] = _encode(replace(final, entry=b"") if isinstance(final, Member) else final)
