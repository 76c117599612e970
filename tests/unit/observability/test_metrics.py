"""Each family shows what its owner says at the moment of the scrape."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import generate_latest

from laura_fast.observability.metrics import ClusterCollector, ClusterFigures, TlsCollector, registry


@dataclass
class Material:
    reloads: int = 0
    reload_failures: int = 0
    not_after_s: float = 4e9


def test_cluster_figures_are_read_at_each_scrape() -> None:
    figures = ClusterFigures(topology_version=1, members={"up": 1}, heartbeats=0)
    own = registry(ClusterCollector(lambda: figures))
    generate_latest(own)
    figures = ClusterFigures(topology_version=7, members={"up": 2, "down": 1}, heartbeats=5, clock_skew_ms={"n1": -250})
    lines = generate_latest(own).decode().splitlines()
    for line in (
        'laura_fast_members{state="up"} 2.0',
        'laura_fast_members{state="down"} 1.0',
        "laura_fast_topology_version 7.0",
        "laura_fast_heartbeats_total 5.0",
        'laura_fast_clock_skew_seconds{node_id="n1"} -0.25',
    ):
        assert line in lines


def test_key_material_is_shown() -> None:
    material = Material()
    own = registry(TlsCollector(material))
    material.reloads, material.reload_failures = 2, 1
    lines = generate_latest(own).decode().splitlines()
    assert "laura_fast_tls_reloads_total 2.0" in lines
    assert "laura_fast_tls_reload_failures_total 1.0" in lines
    assert "laura_fast_tls_certificate_not_after_seconds 4e+09" in lines


def test_process_figures_are_in_each_registry_and_two_registries_do_not_collide() -> None:
    for own in (registry(), registry()):
        text = generate_latest(own).decode()
        assert "process_resident_memory_bytes" in text
        assert "process_cpu_seconds_total" in text
