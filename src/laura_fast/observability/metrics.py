"""The `laura_fast_*` families: read from their owners when a scraper asks, never pushed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """What a server knows of its cluster at one moment."""

    topology_version: int
    members: Mapping[str, int]
    """Members by state, lower case: `up`, `suspect`, `down` and so on. States with none are shown as 0 if listed."""
    heartbeats: int
    """Heartbeats taken since the start, by call and by stream."""
    clock_skew_ms: Mapping[str, int] = field(default_factory=dict)
    """Largest skews only: a node's clock minus ours at its last beat, by node id. The reader bounds their number."""


class TlsFigures(Protocol):
    """What is shown of key material (`transport.tls.TlsMaterial`)."""

    reloads: int
    reload_failures: int

    @property
    def not_after_s(self) -> float:
        """End of the certificate's life, seconds since 1970."""


def registry(*collectors: Collector) -> CollectorRegistry:
    """A registry of its own, not the process-wide one: two servers in one process must not collide.

    Holds the process's CPU, memory (`process_resident_memory_bytes`) and file figures, the garbage collector's, and
    `collectors`.
    """
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    GCCollector(registry=own)
    for collector in collectors:
        own.register(collector)
    return own


class ClusterCollector:
    """Membership as Prometheus families."""

    def __init__(self, read: Callable[[], ClusterFigures]) -> None:
        """Takes the function that is asked at each scrape, on the event loop thread."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """One reading."""
        figures = self._read()
        members = GaugeMetricFamily("laura_fast_members", "Members of the cluster by state.", labels=("state",))
        for state, count in figures.members.items():
            members.add_metric((state,), count)
        yield members
        yield GaugeMetricFamily(
            "laura_fast_topology_version", "Version of the published topology.", value=figures.topology_version
        )
        yield CounterMetricFamily("laura_fast_heartbeats", "Heartbeats taken.", value=figures.heartbeats)
        skew = GaugeMetricFamily(
            "laura_fast_clock_skew_seconds", "A node's clock minus this server's.", labels=("node_id",)
        )
        for node_id, skew_ms in figures.clock_skew_ms.items():
            skew.add_metric((node_id,), skew_ms / 1000)
        yield skew


class TlsCollector:
    """Key material as Prometheus families."""

    def __init__(self, material: TlsFigures) -> None:
        self._material = material

    def collect(self) -> Iterator[Metric]:
        """One reading."""
        material = self._material
        yield CounterMetricFamily("laura_fast_tls_reloads", "Changed key files taken over.", value=material.reloads)
        yield CounterMetricFamily(
            "laura_fast_tls_reload_failures",
            "Changed key files refused; the earlier ones stay in use.",
            value=material.reload_failures,
        )
        yield GaugeMetricFamily(
            "laura_fast_tls_certificate_not_after_seconds",
            "End of the certificate's life, Unix time.",
            value=material.not_after_s,
        )
