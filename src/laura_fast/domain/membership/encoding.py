"""Wire pieces of a topology, joined at C speed from entries that are encoded once.

A property test holds every joined answer equal to protobuf's own bytes. `bench/test_topology.py` pays for this module:
serialising 10,000 nodes with protobuf costs milliseconds per answer, joining their entries costs a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from laura_fast.domain.membership.values import Chunk, ReplicaSet, Shard

_INT64_MASK: Final = (1 << 64) - 1
_ONE_BYTE: Final = [bytes([number]) for number in range(128)]


def varint(number: int) -> bytes:
    """Base-128 form of an unsigned integer, or of an int64 in two's complement (protobuf encoding guide, "varints")."""
    number &= _INT64_MASK
    if number < 128:  # noqa: PLR2004 - the one-byte range of a varint
        return _ONE_BYTE[number]
    pieces = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    pieces.append(number)
    return bytes(pieces)


def prefixed(payload: bytes) -> bytes:
    """`payload` with its length in front: the body of a length-delimited field without its tag."""
    return varint(len(payload)) + payload


def integer(tag: bytes, number: int) -> bytes:
    """A varint field; nothing for the default 0, as proto3 has it."""
    return tag + varint(number) if number else b""


def blob(tag: bytes, payload: bytes) -> bytes:
    """A length-delimited field that is present whatever its content."""
    return tag + varint(len(payload)) + payload


def message(tag: bytes, pieces: Sequence[bytes]) -> list[bytes]:
    """A message field whose content is in pieces, as pieces to be joined."""
    return [tag, varint(sum(map(len, pieces))), *pieces]


def text(tag: bytes, content: str) -> bytes:
    """A string field; nothing for the empty default."""
    return blob(tag, content.encode()) if content else b""


def repeated(tag: bytes, entries: Sequence[bytes]) -> bytes:
    """A repeated field from entries that carry their length: one join with the tag as separator."""
    return tag + tag.join(entries) if entries else b""


def replica_sets(tag: bytes, sets: Iterable[ReplicaSet]) -> bytes:
    """A repeated `ReplicaSet` field."""
    return b"".join(blob(tag, _replica_set(each)) for each in sets)


def shards(tag: bytes, each_shard: Iterable[Shard]) -> bytes:
    """A repeated `ShardInfo` field."""
    return b"".join(blob(tag, _shard(each)) for each in each_shard)


def _replica_set(each: ReplicaSet) -> bytes:
    node_ids = b"".join(blob(b"\x12", node_id.encode()) for node_id in each.node_ids)
    return text(b"\x0a", each.id) + node_ids + text(b"\x1a", each.primary_id) + integer(b"\x20", each.term)


def _shard(each: Shard) -> bytes:
    chunks = b"".join(blob(b"\x1a", _chunk(chunk)) for chunk in each.chunks)
    return text(b"\x0a", each.id) + text(b"\x12", each.node_id) + chunks


def _chunk(chunk: Chunk) -> bytes:
    bounds = (blob(tag, key) for tag, key in ((b"\x12", chunk.min_key), (b"\x1a", chunk.max_key)) if key)
    return text(b"\x0a", chunk.id) + b"".join(bounds)
