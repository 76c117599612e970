"""Enum values of the contract in the words that people read."""

from __future__ import annotations

from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb


def state_name(state: int) -> str:
    """``healthy``, ``suspect``, ``down``, ``leaving``; ``unknown`` where a server does not tell."""
    names = pb.NodeState.DESCRIPTOR.values_by_number
    return "unknown" if state == pb.NODE_STATE_UNSPECIFIED or state not in names else names[state].name.lower()


def role_name(role: int) -> str:
    """``primary``, ``config-server`` and so on; ``unknown`` for the values of a newer server too."""
    names = pb.NodeRole.DESCRIPTOR.values_by_number
    return names[role].name.lower().replace("_", "-") if role in names else "unknown"


ROLES = tuple(role_name(value.number) for value in pb.NodeRole.DESCRIPTOR.values if value.number != pb.UNKNOWN)
"""The roles that a node may claim."""


def role_of(name: str) -> pb.NodeRole.ValueType:
    """The role that `role_name` writes as `name`."""
    return pb.NodeRole.Value(name.upper().replace("-", "_"))
