"""What one session of measurements leaves behind: the contract between the rivals bench and whoever reports on it.

A session is one JSON file. `write` and `read` are the only two ways in and out; a reader that meets another
`format_version` must refuse it rather than guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import orjson

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_VERSION = 1
"""Raised when a field changes its meaning or goes away; a new field with a default doesn't raise it."""

Call = Literal["heartbeat", "registration", "heartbeat_stream"]
Client = Literal["h2load", "go", "grpcio", "raw", "load"]
"""Who sends the load. "h2load" also stands for the generator that a subject which isn't gRPC brings along."""
Topology = Literal["changed", "always"]
Metric = Literal["server_cpu_us_per_call", "requests_per_s", "p99_us", "rss_anon_kib"]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of load, the same for every subject."""

    call: Call
    connections: int
    streams: int
    """Requests in flight on each connection."""
    rps: int = 0
    """Requests per second over all connections, on a timer that doesn't wait for answers; 0 = closed loop."""
    load_percent: int = 0
    """Open loop at this share of the subject's own closed-loop rate, found in the same process just before; 0 = not so.
    A subject's figures at a share are not comparable with another's: each has a rate of its own."""
    nodes: int = 1
    """Members registered before the load starts. For registrations: how many join during it."""
    topology: Topology = "changed"
    """When a heartbeat's answer carries the topology: only when the caller's is old, or each time."""
    client: Client = "h2load"
    in_flight: int = 1
    """Messages on their way on each stream. Above 1 only where a call is a stream of them."""

    @property
    def label(self) -> str:
        """Short name for tables and plots, unique among the scenarios of a session."""
        pace = f"@{self.rps}/s" if self.rps else f"@{self.load_percent}%" if self.load_percent else ""
        depth = f"x{self.in_flight}" if self.in_flight > 1 else ""
        sender = f" client={self.client}" if self.client != "h2load" else ""
        size = f"{self.connections}x{self.streams}{depth}{pace}"
        return f"{self.call} {size} nodes={self.nodes} topology={self.topology}{sender}"


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Percentiles of one run in µs, from every request's own time, or from a histogram that is within 0.1 % of it.

    `None`: the load generator doesn't tell this one.
    """

    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    p90_us: float | None = None
    p999_us: float | None = None
    """99.9 %."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run: one fresh process of one subject under one scenario."""

    round: int
    position: int
    """Place in the round's random order, from 0."""
    subject: str
    """`Subject.name`."""
    scenario: Scenario
    requests: int
    """Calls; of a stream, messages."""
    seconds: float
    requests_per_s: float
    """Answered, over the time from the first request to the last answer."""
    server_cpu_us_per_call: float
    """User and system time of the server process (all threads), divided by requests."""
    load_cpu_percent: float
    """Of one core, by the load generator. Near 100: the generator was the limit, not the server."""
    latency: Latency
    rss_anon_kib: int
    """Anonymous memory of the server after the run (mapped files don't count)."""
    answer_bytes: int
    """Checked size of one answer on the wire without HTTP/2 framing."""
    asked_rps: int = 0
    """The open loop's rate; 0 = closed loop."""
    notes: list[str] = []
    """Why this run should be read with care: a saturated generator, a rate that was not reached, a busy machine."""


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server under test."""

    name: str
    title: str
    version: str
    """Of the libraries that carry the calls, with the year where they are old."""
    caveat: str = ""
    """What makes the comparison less than even, in one sentence."""


class Skipped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject that was asked for and didn't run."""

    name: str
    reason: str


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run without figures: the server didn't start, or its answers were wrong."""

    round: int
    subject: str
    scenario: Scenario
    error: str


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`subject` over the baseline, paired by round: the median and its 95 % bootstrap interval.

    Above 1 the subject's figure is larger: better for requests per second, worse for CPU, latency and memory.
    `low` and `high` are None when there are too few rounds for an interval.
    """

    subject: str
    baseline: str
    scenario: Scenario
    metric: Metric
    estimate: float
    low: float | None
    high: float | None
    rounds: int


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The machine and the way it was used."""

    started_at: str
    """ISO 8601, UTC."""
    commit: str
    """Of this project, `-dirty` appended when the tree had changes."""
    cpu: str
    cores: int
    kernel: str
    python: str
    load_generator: str
    server_core: int
    load_core: int
    load_average: float
    """Of the last minute when the session began; above about 0.5 somebody else was using the cores."""


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything one command measured."""

    environment: Environment
    seed: int
    rounds: int
    command: list[str]
    """Arguments that repeat the session."""
    subjects: list[Subject]
    skipped: list[Skipped]
    samples: list[Sample]
    ratios: list[Ratio]
    failures: list[Failure] = []
    tool: str = "bench.rivals"
    """The module that was run."""
    format_version: int = FORMAT_VERSION


def write(session: Session, path: Path) -> None:
    """Writes `session` as indented JSON."""
    path.write_bytes(orjson.dumps(msgspec.to_builtins(session), option=orjson.OPT_INDENT_2))


def read(path: Path) -> Session:
    """Reads what `write` wrote.

    Raises:
        ValueError: The file has another format version.
        msgspec.ValidationError: A field is missing, unknown or of another type.
    """
    document = orjson.loads(path.read_bytes())
    if document.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"{path} has format {document.get('format_version')}, this reader knows {FORMAT_VERSION}")
    return msgspec.convert(document, Session)
