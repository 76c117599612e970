"""Made-up but plausible runs of every kind, the same each time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from laura_fast.report.raw.load import LoadRun, Row
from laura_fast.report.raw.micro import Benchmark, MicroRun, Statistics
from laura_fast.report.raw.rivals import (
    Call,
    Client,
    Environment,
    Latency,
    Ratio,
    Sample,
    Scenario,
    Session,
    Skipped,
    Subject,
    Topology,
)
from laura_fast.report.raw.scaling import BeatPoint, Curve, Fill, JoinPoint, MemoryPoint, ScalingSession

if TYPE_CHECKING:
    from laura_fast.report.raw import Run

CPU_US = {
    "ours-native": 5.2,
    "ours-grpcio": 215.0,
    "grpc-aio": 350.0,
    "grpc-sync": 420.0,
    "grpclib": 190.0,
    "grpc-go": 17.0,
    "grpc-cpp": 22.0,
    "etcd": 140.0,
    "nghttpd": 4.0,
    "redis": 1.1,
}
TITLES = {
    "ours-native": "laura_fast, native transport",
    "ours-grpcio": "laura_fast, grpcio transport",
    "grpc-aio": "grpc.aio, asyncio",
    "grpc-sync": "grpcio, threads",
    "grpclib": "grpclib on uvloop",
    "grpc-go": "grpc-go",
    "grpc-cpp": "gRPC C++",
    "etcd": "etcd lease keep-alive",
    "nghttpd": "nghttpd, static file",
    "redis": "Redis SET with EX",
}
SCENARIOS = [
    *(Scenario("heartbeat", *shape, nodes=100) for shape in ((1, 1), (10, 10), (50, 20), (1000, 1))),
    *(Scenario("heartbeat", 10, 100, rps=rps, nodes=100) for rps in (1000, 2500, 5000)),
    *(Scenario("heartbeat", 10, 100, load_percent=percent, nodes=100) for percent in (50, 80, 95)),
    Scenario("registration", 2, 8, nodes=100),
]
ENVIRONMENT = Environment(
    started_at="2026-01-02T03:04:05+00:00",
    commit="0123456789ab",
    cpu="Example 9000",
    cores=2,
    kernel="6.1",
    python="3.11.7",
    load_generator="h2load nghttp2/1.52.0",
    server_core=0,
    load_core=1,
    load_average=0.1,
)
SIZES = (1, 10, 100, 1_000, 10_000)


def rivals(rounds: int = 5) -> Session:
    """Every subject in every scenario."""
    dice = random.Random(7)  # noqa: S311 - made-up figures
    samples = [
        _sample(dice, round_, name, scenario) for round_ in range(rounds) for scenario in SCENARIOS for name in CPU_US
    ]
    ratios = [
        Ratio(name, "ours-native", SCENARIOS[1], "server_cpu_us_per_call", cost / 5.2, cost / 5.6, cost / 4.9, rounds)
        for name, cost in CPU_US.items()
        if name != "ours-native"
    ]
    subjects = [Subject(name, title, "1.2.3 (2024)", _caveat(name)) for name, title in TITLES.items()]
    skipped = [Skipped("grpc-rust", "no cargo here")]
    return Session(ENVIRONMENT, 7, rounds, ["--rounds", str(rounds)], subjects, skipped, samples, ratios)


def _caveat(name: str) -> str:
    return "Debian's grpc-go is from 2020; the current one is faster." if name == "grpc-go" else ""


def _sample(dice: random.Random, round_: int, name: str, scenario: Scenario) -> Sample:
    cost = CPU_US[name] * dice.uniform(0.94, 1.06) * (1.4 if scenario.connections * scenario.streams < 10 else 1)
    share = scenario.load_percent / 100
    wait = cost * (1 + (share / (1.02 - share) if share else scenario.connections * scenario.streams * 0.8))
    latency = Latency(p50_us=wait, p90_us=wait * 1.8, p95_us=wait * 2.2, p99_us=wait * 4, max_us=wait * 15)
    return Sample(
        round=round_,
        position=0,
        subject=name,
        scenario=scenario,
        requests=10_000,
        seconds=1.0,
        requests_per_s=1e6 / cost,
        server_cpu_us_per_call=cost,
        load_cpu_percent=40,
        latency=latency,
        rss_anon_kib=40_000,
        answer_bytes=14,
        notes=["the load generator was the limit"] if name == "redis" else [],
    )


def transport() -> Session:
    """Two transports with three kinds of callers."""
    clients: tuple[tuple[Call, Client], ...] = (
        ("heartbeat", "h2load"),
        ("heartbeat", "go"),
        ("heartbeat_stream", "raw"),
    )
    dice = random.Random(8)  # noqa: S311 - made-up figures
    names = ("ours-native", "ours-grpcio")
    samples = [
        _sample(dice, round_, name, Scenario(call, 10, 10, nodes=100, client=client))
        for round_ in range(3)
        for call, client in clients
        for name in names
    ]
    subjects = [Subject(name, TITLES[name], "1.2.3") for name in names]
    return Session(ENVIRONMENT, 8, 3, [], subjects, [], samples, [], tool="bench.transport")


def scaling() -> ScalingSession:
    """Two transports whose beats stay flat, and one server whose answers grow."""
    curves = [_curve("native", 5.0), _curve("grpcio", 215.0), _curve("grpcio", 240.0, "always")]
    return ScalingSession(ENVIRONMENT, 1, 4, 10, 10, ["--rounds", "4"], curves)


def _curve(transport: str, cost: float, topology: Topology = "changed") -> Curve:
    dice = random.Random(f"{transport}{topology}")  # noqa: S311 - made-up figures
    always = topology == "always"
    places = [(size, round_) for round_ in range(4) for size in SIZES]
    beats = [
        BeatPoint(
            nodes=size,
            round=round_,
            calls=1000,
            seconds=1.0,
            server_cpu_us_per_call=(cost + (size * 0.12 if always else 0)) * dice.uniform(0.97, 1.05),
            answer_bytes=14 + 91 * size if always else 14,
        )
        for size, round_ in places
    ]
    if always:
        return Curve(transport, topology, beats)
    joins = [
        JoinPoint(
            nodes=size,
            round=round_,
            omit_members=omit,
            joins=20,
            ms_per_join=(0.9 + (0 if omit else size * 0.001)) * dice.uniform(0.9, 1.2),
            server_cpu_us_per_join=300 + size,
            answer_bytes=34 if omit else 34 + 182 * size,
        )
        for size, round_ in places
        for omit in (False, True)
    ]
    memory = [MemoryPoint(size, round_, int(42_000 + size * 2.4 + dice.random() * 900)) for size, round_ in places]
    return Curve(transport, topology, beats, joins, memory, [Fill(10_000, 64, 4.2)])


def load(scenario: str = "heartbeat", exit_code: int = 0) -> LoadRun:
    """One load scenario."""
    row = Row(count=9000, p50_ms=1.2, p90_ms=2.3, p95_ms=3.1, p99_ms=7.9, p999_ms=12.0, max_ms=41.0)
    latencies = {"ClusterService/Heartbeat": row, "ClusterService/RegisterNode": row}
    reasons = ["too slow"] if exit_code else []
    return LoadRun(scenario, 100, "constant", 60.0, 0, 9200, 0, 12.5, exit_code, reasons, latencies, {})


def micro() -> MicroRun:
    """Two benchmarks."""
    stats = Statistics(min=1e-6, q1=1.1e-6, median=1.2e-6, q3=1.4e-6, max=9e-6, rounds=10)
    path = "bench/test_heartbeat.py::test_unary[grpcio-1-10]"
    return MicroRun(
        [
            Benchmark(path, "heartbeat", stats, {"server_cpu_us_per_call": 231.5}),
            Benchmark("bench/test_registry.py::test_heartbeat[64]", "registry", stats),
        ],
        "2026-01-02T03:04:05",
        "5.3.1",
    )


def every() -> list[Run]:
    """One of each kind, and a failed scenario."""
    return [rivals(), transport(), scaling(), load(), load("mixed", 1), micro()]
