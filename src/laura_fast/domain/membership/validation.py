"""What a registration or deregistration may hold. A fault is a sentence for the caller, never an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.domain.membership.values import NodeRole
from laura_fast.limits import membership as limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from laura_fast.domain.membership.values import Registration

MAX_PORT: Final = 65_535
_ROLES: Final = frozenset(NodeRole)


def registration_fault(wish: Registration) -> str:
    """The first thing wrong with a registration; empty where all is well."""
    return next(_registration_faults(wish), "")


def deregistration_fault(node_id: str, reason: str) -> str:
    """The first thing wrong with a deregistration; empty where all is well."""
    if fault := _name_fault("node id", node_id, limits.MAX_NODE_ID_BYTES):
        return fault
    return _size_fault("reason", reason, limits.MAX_REASON_BYTES)


def usable_seeds(seeds: Iterable[str]) -> tuple[str, ...]:
    """The hints that can be dialled, as many as the limit allows. Seeds are hints: a bad one is no one's failure."""
    usable = (seed for seed in seeds if _is_address(seed))
    return tuple(seed for seed, _ in zip(usable, range(limits.MAX_SEED_NODES), strict=False))


def _registration_faults(wish: Registration) -> Iterator[str]:
    yield from filter(None, [_name_fault("node id", wish.node_id, limits.MAX_NODE_ID_BYTES)])
    yield from filter(None, [_name_fault("node host", wish.host, limits.MAX_HOST_BYTES)])
    if not 0 <= wish.port <= MAX_PORT:
        yield f"node port {wish.port} is outside 0-{MAX_PORT}"
    if wish.role not in _ROLES:
        yield f"node role {wish.role} is unknown"
    yield from _tag_faults(wish.tags)


def _tag_faults(tags: Mapping[str, str]) -> Iterator[str]:
    if len(tags) > limits.MAX_TAGS:
        yield f"node has {len(tags)} tags, more than {limits.MAX_TAGS}"
    for key, content in tags.items():
        yield from filter(None, [_name_fault("tag key", key, limits.MAX_TAG_KEY_BYTES)])
        yield from filter(None, [_size_fault("tag value", content, limits.MAX_TAG_VALUE_BYTES)])


def _name_fault(what: str, name: str, most_bytes: int) -> str:
    if not name:
        return f"{what} required"
    if not name.isprintable():  # names reach terminals and log lines: no control characters
        return f"{what} holds characters that can't be printed"
    return _size_fault(what, name, most_bytes)


def _size_fault(what: str, content: str, most_bytes: int) -> str:
    size = len(content.encode())
    return f"{what} has {size} bytes, more than {most_bytes}" if size > most_bytes else ""


def _is_address(seed: str) -> bool:
    host, colon, port = seed.rpartition(":")
    valid_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= MAX_PORT
    return bool(colon) and valid_port and not _name_fault("seed", host, limits.MAX_HOST_BYTES)
