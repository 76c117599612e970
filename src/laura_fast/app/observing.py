"""What the outside sees of one server: member changes in the log, and the HTTP side port."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format

from laura_fast.domain.membership.values import NodeState
from laura_fast.observability import log
from laura_fast.observability.http import SidePort
from laura_fast.observability.metrics import ClusterCollector, ClusterFigures, TlsCollector, registry

if TYPE_CHECKING:
    from laura_fast.app.wiring import Services
    from laura_fast.domain.membership.values import Member, MemberChanged
    from laura_fast.node.membership import Membership
    from laura_fast.observability.rpc import RpcStats
    from laura_fast.transport.tls import TlsMaterial

_log = log.get("laura_fast.membership")

SKEWS_SHOWN: Final = 10
"""A label per node would cost a time series per node; the worst clocks are those that matter."""


def log_change(change: MemberChanged) -> None:
    """One line per member and version."""
    before, after = change.before, change.after
    member = after or before
    event = "member_joined" if before is None else "member_left" if after is None else "member_changed"
    _log.info(
        event,
        node_id=member.id if member else "",
        address=f"{member.host}:{member.port}" if member else "",
        before=_state(before),
        after=_state(after),
        role=after.role.name if after else "",
        version=change.version,
    )


def _state(member: Member | None) -> str:
    return member.state.name if member else ""


def make_side_port(
    listen: str, services: Services, membership: Membership, statistics: RpcStats, material: TlsMaterial | None
) -> SidePort:
    """The side port of one server, not yet listening."""
    collectors: list[Any] = [statistics, ClusterCollector(lambda: _figures(membership, services))]
    if material is not None:
        collectors.append(TlsCollector(material))
    return SidePort(
        listen,
        registry(*collectors),
        live=lambda: True,
        ready=lambda: services.ready,
        status_json=lambda: _status_json(services),
    )


def _status_json(services: Services) -> bytes:
    status = services.admin.cluster_status()
    return json_format.MessageToJson(
        status, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    ).encode()


def _figures(membership: Membership, services: Services) -> ClusterFigures:
    states = Counter(member.state for member in membership.topology.members)
    skews = membership.clock_skews()
    worst = sorted(skews, key=lambda node_id: -abs(skews[node_id]))[:SKEWS_SHOWN]
    return ClusterFigures(
        topology_version=membership.topology.version,
        members={state.name.lower(): states[state] for state in NodeState},
        heartbeats=services.cluster.beats_taken + services.streams.beats_taken,
        clock_skew_ms={node_id: skews[node_id] for node_id in worst},
    )
