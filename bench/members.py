"""The seeded nodes as membership values."""

from __future__ import annotations

from dataclasses import replace

from bench import data
from laura_fast.domain.membership.encoding import prefixed
from laura_fast.domain.membership.table import MemberTable
from laura_fast.domain.membership.topology import TopologySnapshot
from laura_fast.domain.membership.values import Member, NodeRole
from laura_fast.services.nodes import encode_node


def members(number: int) -> list[Member]:
    """The first `number` nodes of the seed's stream, each with its entry, sorted by id."""
    bare = (
        Member(node.id, node.host, node.port, NodeRole(node.role), node.priority, node.tags)
        for node in data.nodes(number)
    )
    return [replace(member, entry=prefixed(encode_node(member))) for member in bare]


def snapshot(number: int, version: int = 2) -> TopologySnapshot:
    """A topology of `number` nodes; nothing of its wire form is made yet."""
    return TopologySnapshot(version, MemberTable.of(members(number)))
