"""Rules between settings: each broken one is a line that names the keys and their values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ASCENDING = ("heartbeat_interval", "suspect_after", "down_after")
"""Each must be more than the one before: silence of one beat is normal, and a member is SUSPECT before it is DOWN."""

NEEDS = {
    "tls_cert_file": "tls_key_file",
    "tls_key_file": "tls_cert_file",
    "tls_client_ca_file": "tls_cert_file",
    "tls_bind_node_id": "tls_client_ca_file",
    "replica_set": "node_id",
    "members": "replica_set",
}
"""A setting and the one without which it would silently mean nothing."""


def problems_between(values: Mapping[str, int | str | bool], written: Mapping[str, str]) -> list[str]:
    """The broken rules between values whose own ranges hold.

    Args:
        values: Value by key.
        written: Value by key, as an operator would write it.
    """
    return [*_ascending(values, written), *_needs(values, written)]


def _ascending(values: Mapping[str, int | str | bool], written: Mapping[str, str]) -> Iterator[str]:
    for lower, higher in pairwise(ASCENDING):
        if int(values[higher]) <= int(values[lower]):
            yield f"{higher} = {written[higher]} is not allowed; allowed: more than {lower} ({written[lower]})"


def _needs(values: Mapping[str, int | str | bool], written: Mapping[str, str]) -> Iterator[str]:
    for key, needed in NEEDS.items():
        if values[key] and not values[needed]:
            yield f"{key} = {written[key]} is not allowed alone; allowed: together with {needed}"
