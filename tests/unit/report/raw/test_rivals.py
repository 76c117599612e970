"""A session's JSON file holds everything, and a reader refuses what it doesn't know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import orjson
import pytest

from laura_fast.report.raw import rivals

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = rivals.Scenario("heartbeat", connections=10, streams=10, rps=2000, nodes=100)
LATENCY = rivals.Latency(p50_us=100, p90_us=None, p95_us=200, p99_us=300, max_us=900)
ENVIRONMENT = rivals.Environment(
    started_at="2026-01-01T00:00:00+00:00", commit="abc", cpu="x", cores=2, kernel="6", python="3.11",
    load_generator="h2load", server_core=0, load_core=1, load_average=0.1,
)  # fmt: skip
SAMPLE = rivals.Sample(
    round=0, position=1, subject="ours", scenario=SCENARIO, requests=10, seconds=1.5, requests_per_s=6.7,
    server_cpu_us_per_call=51.5, load_cpu_percent=20.0, latency=LATENCY, rss_anon_kib=9000, answer_bytes=14,
)  # fmt: skip
SESSION = rivals.Session(
    environment=ENVIRONMENT, seed=7, rounds=1, command=["--quick"], subjects=[rivals.Subject("ours", "Ours", "1")],
    skipped=[rivals.Skipped("grpc-go", "no Go")], samples=[SAMPLE],
    ratios=[rivals.Ratio("grpc-go", "ours", SCENARIO, "requests_per_s", 1.5, None, None, 1)],
)  # fmt: skip


def test_a_session_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    rivals.write(SESSION, path)
    assert rivals.read(path) == SESSION


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    rivals.write(msgspec.structs.replace(SESSION, format_version=99), path)
    with pytest.raises(ValueError, match="format 99"):
        rivals.read(path)


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    rivals.write(SESSION, path)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"surprise": 1}))
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        rivals.read(path)


def test_labels_tell_scenarios_apart() -> None:
    closed = msgspec.structs.replace(SCENARIO, rps=0)
    assert SCENARIO.label == "heartbeat 10x10@2000/s nodes=100 topology=changed"
    assert closed.label != SCENARIO.label
