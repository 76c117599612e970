"""How costs grow with the number of nodes: what `python -m bench.scaling` leaves behind."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from laura_fast.report.raw.rivals import Environment, Topology
from laura_fast.report.spread import Spread, spread

FORMAT_VERSION: Final = 1


class BeatPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Heartbeats of all members in turn, at one size of the cluster."""

    nodes: int
    round: int
    calls: int
    seconds: float
    server_cpu_us_per_call: float
    answer_bytes: int
    """Of one answer without its gRPC prefix. Every answer had this size: the sum of all was checked."""


class JoinPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Registrations one after the other, each durable when answered, at one size of the cluster."""

    nodes: int
    """Registered before the first of these."""
    round: int
    omit_members: bool
    joins: int
    ms_per_join: float
    """Median, as the client saw it."""
    server_cpu_us_per_join: float
    answer_bytes: float
    """Mean over the joins: the answer grows by one node with each."""


class MemoryPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Anonymous memory of the server after its beats at this size."""

    nodes: int
    round: int
    rss_anon_kib: int


class Fill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Registrations from an empty registry up to `nodes`, many in flight, members omitted from the answers."""

    nodes: int
    in_flight: int
    seconds: float


class Curve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server process at every size."""

    transport: str
    topology: Topology
    """When a beat's answer carries the topology; "always" is what LauraDB's own server does."""
    beats: list[BeatPoint]
    joins: list[JoinPoint] = []
    memory: list[MemoryPoint] = []
    fills: list[Fill] = []

    @property
    def label(self) -> str:
        """For legends and tables."""
        always = ", topology in every answer" if self.topology == "always" else ""
        return f"{self.transport}{always}"

    @property
    def growth(self) -> Spread:
        """Cost of a beat at the largest size over the smallest, paired by round: drift between rounds cancels."""
        cost = {(point.round, point.nodes): point.server_cpu_us_per_call for point in self.beats}
        sizes = {point.nodes for point in self.beats}
        return spread(cost[round_, max(sizes)] / cost[round_, min(sizes)] for round_ in {at for at, _ in cost})


class ScalingSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="scaling", tag_field="kind"):
    """Everything one command measured."""

    environment: Environment
    seed: int
    rounds: int
    connections: int
    streams: int
    command: list[str]
    curves: list[Curve]
    format_version: Literal[1] = FORMAT_VERSION
