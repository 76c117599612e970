"""The part of pytest-benchmark's JSON that the report shows: `pytest bench --benchmark-json FILE`."""

from __future__ import annotations

from typing import Any

import msgspec


class Statistics(msgspec.Struct, frozen=True):
    """Seconds per call over the rounds of one benchmark."""

    min: float
    q1: float
    median: float
    q3: float
    max: float
    rounds: int


class Benchmark(msgspec.Struct, frozen=True):
    """One row of the table."""

    fullname: str
    group: str | None
    stats: Statistics
    extra_info: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """`bench/test_heartbeat.py::test_unary[grpcio-1-10]` → `heartbeat: unary[grpcio-1-10]`."""
        path, _, test = self.fullname.rpartition("::")
        return f"{path.rpartition('/')[2].removeprefix('test_').removesuffix('.py')}: {test.removeprefix('test_')}"


class MicroRun(msgspec.Struct, frozen=True, tag="micro", tag_field="kind"):
    """One run of the benchmarks."""

    benchmarks: list[Benchmark]
    datetime: str = ""
    version: str = ""
    """Of pytest-benchmark."""
