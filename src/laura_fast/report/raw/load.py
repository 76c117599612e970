"""One run of a load scenario: what `locust … --latency-json FILE` writes."""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Latency of one RPC in milliseconds, from an HDR histogram."""

    count: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p999_ms: float = msgspec.field(name="p99.9_ms")
    max_ms: float


class LoadRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="load", tag_field="kind"):
    """The run as the load generator saw it."""

    scenario: str
    users: int
    """At the peak of the shape."""
    shape: str
    duration_s: float
    workers: int
    """Generator processes beside the master; 0 = one process did everything."""
    requests: int
    failures: int
    generator_cpu_percent: float
    """Of one core, the busiest window of the busiest process."""
    exit_code: int
    reasons: list[str]
    latencies: dict[str, Row]
    histograms: dict[str, str]
    """HdrHistogram's own compressed text, microseconds."""
