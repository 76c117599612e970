"""What a run found out, as a value and as a page of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from laura_fast.client.console import units

if TYPE_CHECKING:
    from rich.console import RenderableType

    from laura_fast.load.measuring import Histogram

LABELS: Final = {
    "open": "open loop: latency counts from each call's intended time",
    "closed": "CLOSED LOOP: latency counts from the sending, so queueing is hidden",
}


class Latency(msgspec.Struct, frozen=True):
    """Latency of calls answered rightly, in milliseconds, within 0.1 %; `max_ms` is exact to a microsecond."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    p99_99_ms: float
    max_ms: float


class Generator(msgspec.Struct, frozen=True):
    """The generator while it measured; lateness is how long after their time ticks began."""

    cpu_share: float
    cpu_us_per_call: float
    late_p99_ms: float | None
    late_max_ms: float | None


class Server(msgspec.Struct, frozen=True):
    """The server while it was measured."""

    pids: list[int]
    cpu_share: float
    cpu_us_per_call: float
    memory_bytes: int


class LoadReport(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        loop: How calls were timed.
        label: The same in words.
        rps: Calls per second that were planned; None in a closed loop.
        calls_per_s: Calls that ended per second of the measurement.
        failures: Calls not answered OK and rightly, by status, the warm-up's too.
        latency: Over all methods.
        methods: Of each of them.
        server: None where it runs elsewhere or belongs to somebody else.
        saturated: Why the figures describe the generator rather than the server; empty if they do not.
    """

    loop: Literal["open", "closed"]
    label: str
    address: str
    method: str
    connections: int
    streams: int
    rps: int | None
    warmup_s: float
    duration_s: float
    calls_per_s: float
    answered: int
    failures: dict[str, int]
    lost_connections: int
    latency: Latency
    methods: dict[str, Latency]
    generator: Generator
    server: Server | None
    saturated: list[str]

    @property
    def failed(self) -> bool:
        """Not every call was answered OK, or none was."""
        return bool(self.failures) or not self.answered


def latency_of(histogram: Histogram) -> Latency:
    """A histogram's figures."""
    p50, p90, p95, p99, p99_9, p99_99 = (value / 1000 for value in histogram.percentiles_us())
    mean, longest = histogram.mean_us / 1000, histogram.longest_us / 1000
    return Latency(histogram.count, mean, p50, p90, p95, p99, p99_9, p99_99, longest)


def as_text(report: LoadReport) -> RenderableType:
    """A page for people."""
    planned = f"{report.rps:,} calls/s planned, " if report.rps else ""
    shape = f"{report.connections} × {report.streams} streams"
    lines = [
        f"{report.method} to {report.address}, {shape}, {report.duration_s:g} s after {report.warmup_s:g} s of warm-up",
        report.label,
        f"{planned}{report.calls_per_s:,.0f} calls/s done; {report.answered:,} answered OK, {_failures(report)}",
        _generator(report.generator),
        _server(report.server),
        *(f"SATURATED, the figures are the generator's: {reason}" for reason in report.saturated),
    ]
    return Group(*(Text(line) for line in lines if line), _table(report))


def _failures(report: LoadReport) -> str:
    named = ", ".join(f"{count:,} {status}" for status, count in sorted(report.failures.items()))
    lost = f"; {report.lost_connections} connections lost" if report.lost_connections else ""
    return (f"FAILED: {named}" if named else "none failed") + lost


def _generator(generator: Generator) -> str:
    late = f", p99 {generator.late_p99_ms:.2f} ms late" if generator.late_p99_ms is not None else ""
    return f"generator: {generator.cpu_share:.0%} of a core, {generator.cpu_us_per_call:.1f} µs a call{late}"


def _server(server: Server | None) -> str:
    if server is None:
        return "server: not on this machine, or not ours to look at"
    memory = units.size(server.memory_bytes)
    pids = ", ".join(map(str, server.pids))
    return f"server {pids}: {server.cpu_share:.0%} of a core, {server.cpu_us_per_call:.1f} µs a call, {memory}"


def _table(report: LoadReport) -> Table:
    table = Table("ms", "calls", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max")
    for column in table.columns[1:]:
        column.justify = "right"
    rows = report.methods if len(report.methods) == 1 else {**report.methods, "all": report.latency}
    for name, latency in rows.items():
        count, *times = msgspec.structs.astuple(latency)
        table.add_row(name, f"{count:,}", *(f"{time:.3f}" for time in times))
    return table
