"""A generator's figures count only when every answer was right, and the process figures are those of the process."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from bench.rivals import h2load, procfs
from bench.rivals.load import Load, Target, WrongAnswersError, percentiles
from bench.rivals.measure import Usage, strangers_percent
from bench.rivals.subjects import redis

if TYPE_CHECKING:
    from pathlib import Path

OUTPUT = """\
finished in 69.76ms, 71674.31 req/s, 3.29MB/s
requests: 5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 235.32KB (240970) total, 9.88KB (10120) headers (space savings 94.67%), 68.36KB (70000) data
"""


def test_right_answers_pass() -> None:
    h2load.check(OUTPUT, requests=5000, answer_bytes=14)


@pytest.mark.parametrize(
    ("output", "requests", "answer_bytes", "reason"),
    [
        (OUTPUT, 5000, 15, "70000 answer bytes"),
        (OUTPUT.replace("(70000) data", "(0) data"), 5000, 14, "0 answer bytes"),  # what gRPC errors look like
        (OUTPUT.replace("5000 succeeded", "4999 succeeded"), 5000, 14, "4999 of 5000"),
        ("connect() failed", 5000, 14, "didn't finish"),
    ],
)
def test_wrong_answers_are_an_error(output: str, requests: int, answer_bytes: int, reason: str) -> None:
    with pytest.raises(WrongAnswersError, match=reason):
        h2load.check(output, requests, answer_bytes)


def test_the_rate_is_shared_among_connections(tmp_path: Path) -> None:
    load = Load(requests=100, connections=8, streams=5, core=1, scratch=tmp_path, rps=100)
    words = h2load.command(Target("host:1", "/path"), load, tmp_path / "body", tmp_path / "log")
    assert "--rps=12.5" in words
    assert words[-1] == "http://host:1/path"


def test_each_request_of_the_log_counts(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1795429945557707\t200\t1103\n1795429945557700\t200\t1135\n")
    starts, times_us = h2load.read_log(tmp_path / "log")
    assert starts.tolist() == [1795429945557707, 1795429945557700]
    assert times_us.tolist() == [1103, 1135]


def test_percentiles_are_of_the_single_times() -> None:
    latency = percentiles(range(101))
    assert (latency.p50_us, latency.p90_us, latency.p95_us, latency.p99_us, latency.max_us) == (50, 90, 95, 99, 100)


def test_frames_are_grpc_s() -> None:
    assert h2load.frame(b"abc") == b"\0\0\0\0\3abc"


def test_redis_must_count_what_was_asked(tmp_path: Path) -> None:
    load = Load(requests=100, connections=2, streams=5, core=1, scratch=tmp_path)
    redis.check("cmdstat_set:calls=100,usec=9,rejected_calls=0,failed_calls=0\r\n", load)
    for statistics in (
        "",
        "cmdstat_set:calls=99,usec=9,rejected_calls=0,failed_calls=0\r\n",
        "cmdstat_set:calls=111,usec=9,rejected_calls=0,failed_calls=0\r\n",
        "cmdstat_set:calls=100,usec=9,rejected_calls=0,failed_calls=1\r\n",
    ):
        with pytest.raises(WrongAnswersError):
            redis.check(statistics, load)


def test_redis_figures_are_read_in_microseconds() -> None:
    header = '"test","rps","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"'
    result = redis.read(f'{header}\n"SET","2000.00","0.111","0.215","0.287","1.5"\n', 1000, 0.1)
    assert result.seconds == pytest.approx(0.5)
    assert (result.latency.p50_us, result.latency.p99_us) == pytest.approx((111.0, 287.0))
    assert result.latency.p90_us is None


def test_the_process_clock_counts_this_process() -> None:
    before, own = procfs.cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() - own < 0.02:
        pass
    assert procfs.cpu_seconds(os.getpid()) - before == pytest.approx(time.process_time() - own, rel=0.2)


def test_memory_and_cores_are_read_from_proc(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("VmRSS:\t  999 kB\nRssAnon:\t    152 kB\nRssFile:\t  800 kB\n")
    (tmp_path / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 50 900 30 5 6 9 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n"
    )
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU\n")
    assert procfs.rss_anon_kib(7, tmp_path) == 152
    assert procfs.core_busy_seconds(0, tmp_path) == 180 / procfs.TICKS_PER_S  # neither idle nor waiting for a disk
    assert procfs.cpu_model(tmp_path) == "Some CPU"
    with pytest.raises(OSError, match="core 5"):
        procfs.core_busy_seconds(5, tmp_path)


def test_a_stranger_on_the_core_is_noticed() -> None:
    before, after = Usage(at=10.0, server_s=1.0, core_s=5.0), Usage(at=12.0, server_s=2.0, core_s=6.5)
    assert strangers_percent(before, after) == pytest.approx(25.0)
