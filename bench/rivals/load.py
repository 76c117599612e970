"""What a load generator is told and what it says, whichever program it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from laura_fast.report.raw.rivals import Latency

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Target:
    """Where the load goes and what a right answer weighs."""

    address: str
    path: str = ""
    body: bytes = b""
    headers: tuple[str, ...] = ()
    answer_bytes: int = 0
    """DATA bytes of one right answer. The generator fails when the sum over all answers is another."""
    authority: Path | None = None
    """PEM file of who signed the server's certificate; None for plain text."""


@dataclass(frozen=True)
class Load:
    """One run of the generator."""

    requests: int
    connections: int
    streams: int
    core: int
    scratch: Path
    rps: int = 0
    """Over all connections; 0 = closed loop."""
    in_flight: int = 1
    """Messages on each stream of messages."""


@dataclass(frozen=True)
class LoadResult:
    """What one run measured. `requests` were all answered, and rightly."""

    requests: int
    seconds: float
    """From the first request sent to the last answer received."""
    latency: Latency
    cpu_seconds: float
    """Of the generator itself."""
    notes: list[str] = field(default_factory=list)


class WrongAnswersError(Exception):
    """Some answers were missing, refused or of the wrong size: the figures of such a run mean nothing."""


def percentiles(times_us: Iterable[float]) -> Latency:
    """Percentiles of the single times, linear between neighbours."""
    p50, p90, p95, p99, top = np.percentile(np.fromiter(times_us, dtype=float), [50, 90, 95, 99, 100])
    return Latency(p50_us=float(p50), p90_us=float(p90), p95_us=float(p95), p99_us=float(p99), max_us=float(top))
