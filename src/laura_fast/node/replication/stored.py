"""The configuration of a replica set as it is stored."""

from __future__ import annotations

import msgspec

from laura_fast.domain.replication.members import Configuration, ReplicaMember


class _Member(msgspec.Struct, frozen=True):
    id: str
    address: str
    priority: int
    votes: bool
    arbiter: bool
    tags: dict[str, str]


class _Stored(msgspec.Struct, frozen=True):
    name: str
    version: int
    members: tuple[_Member, ...]
    term: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def encode(configuration: Configuration) -> bytes:
    """The stored form."""
    members = tuple(
        _Member(each.id, each.address, each.priority, each.votes, each.arbiter, dict(each.tags))
        for each in configuration.members
    )
    return _encode(_Stored(configuration.name, configuration.version, members, configuration.term))


def decode(data: bytes) -> Configuration:
    """What `encode` stored."""
    stored = _decode(data)
    members = tuple(
        ReplicaMember(each.id, each.address, each.priority, each.votes, each.arbiter, each.tags)
        for each in stored.members
    )
    return Configuration(stored.name, stored.version, members, stored.term)
