"""One run of locust: records latencies, watches the generator, follows a plan, judges at the end.

Works alone, as master and as worker: workers send their histograms and their CPU with locust's own reports.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust import LoadTestShape, events
from locust.runners import MasterRunner, WorkerRunner

from common import options
from common.latency import Latencies
from common.plans import stage
from common.verdict import Limits, Outcome, Verdict, judge

if TYPE_CHECKING:
    from locust.env import Environment

__all__ = ["Session", "options"]

CPU_WINDOW_S: Final = 5.0
"""Long enough to forgive a burst of starting users, short enough to catch a spike."""
DEFAULT_SHAPE_S: Final = 60.0


class Session:
    """State of one process's part in a run."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.options: Any = environment.parsed_options
        self.latencies = Latencies()
        self.cpu_percent = 0.0
        for event, listener in (
            (events.request, self._request),
            (events.reset_stats, self._reset),
            (events.test_start, self._reset),
            (events.report_to_master, self._report),
            (events.worker_report, self._collect),
            (events.quitting, self._quit),
        ):
            event.add_listener(listener)
        gevent.spawn(self._watch_cpu)

    def _request(self, name: str, response_time: float, **_: Any) -> None:
        self.latencies.record(name, response_time / 1000)

    def _reset(self, **_: Any) -> None:
        self.latencies.clear()
        self.cpu_percent = 0.0

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        data["latencies"] = self.latencies.take()
        data["generator_cpu_percent"] = self.cpu_percent

    def _collect(self, data: dict[str, Any], **_: Any) -> None:
        self.latencies.merge(data.get("latencies", {}))
        self.cpu_percent = max(self.cpu_percent, data.get("generator_cpu_percent", 0.0))

    def _watch_cpu(self) -> None:
        """Keeps the busiest window of this process, all its threads counted."""
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            gevent.sleep(CPU_WINDOW_S)
            used = (time.process_time() - cpu) / (time.perf_counter() - wall) * 100
            self.cpu_percent = max(self.cpu_percent, used)

    def _quit(self, environment: Environment, **_: Any) -> None:
        if isinstance(environment.runner, WorkerRunner):
            return
        verdict = self.verdict()
        environment.process_exit_code = verdict.exit_code
        sys.stdout.write(_table(self.latencies.summary(), self.cpu_percent, verdict))
        if path := self.options.latency_json:
            Path(path).write_text(json.dumps(self.record(verdict), indent=1), encoding="utf-8")

    def verdict(self) -> Verdict:
        """Judges what has been measured so far."""
        runner = self.environment.runner
        total = self.environment.stats.total
        outcome = Outcome(
            requests=total.num_requests,
            failures=total.num_failures,
            exceptions=sum(row["count"] for row in runner.exceptions.values()) if runner else 0,
            p99_ms={name: row["p99_ms"] for name, row in self.latencies.summary().items()},
            generator_cpu_percent=self.cpu_percent,
        )
        return judge(outcome, Limits(self.options.limit_p99, self.options.limit_error_rate))

    def record(self, verdict: Verdict) -> dict[str, Any]:
        """The run as data, in the form that `laura_fast report` reads."""
        runner, total = self.environment.runner, self.environment.stats.total
        duration_s = max(total.last_request_timestamp - total.start_time, 0.0) if total.last_request_timestamp else 0.0
        return {
            "kind": "load",
            "scenario": Path(self.environment.locustfile or "").stem,
            "users": self.options.num_users or 1,
            "shape": self.options.shape or "constant",
            "duration_s": duration_s,
            "workers": runner.worker_count if isinstance(runner, MasterRunner) else 0,
            "requests": total.num_requests,
            "failures": total.num_failures,
            "generator_cpu_percent": round(self.cpu_percent, 1),
            "exit_code": verdict.exit_code,
            "reasons": verdict.reasons,
            "latencies": self.latencies.summary(),
            "histograms": {name: data.decode() for name, data in self.latencies.encoded().items()},
        }


class PlannedShape(LoadTestShape):
    """Follows a plan over `--run-time`, up to `--users`."""

    abstract = True  # picked by `--shape`, not by being defined
    use_common_options = True

    def __init__(self, plan: str, duration_s: float, peak_users: int) -> None:
        super().__init__()
        self._plan = plan
        self._duration_s = duration_s
        self._peak_users = peak_users

    def tick(self) -> tuple[int, float] | None:
        """What should run now; None ends the test."""
        now = stage(self._plan, self.get_run_time(), self._duration_s, self._peak_users)
        return None if now is None else (now.users, now.spawn_rate)


def _table(rows: dict[str, dict[str, float]], cpu_percent: float, verdict: Verdict) -> str:
    """Percentiles at full resolution, and the verdict."""
    lines = ["", f"{'RPC (ms, HDR histogram)':<36}" + "".join(f"{head:>11}" for head in _HEADS)]
    for name, row in rows.items():
        lines.append(f"{name:<36}{row['count']:>11.0f}" + "".join(f"{row[f'{head}_ms']:>11.3f}" for head in _HEADS[1:]))
    lines += [
        "",
        f"generator: at most {cpu_percent:.0f} % of a core",
        *(f"FAILED: {reason}" for reason in verdict.reasons),
    ]
    return "\n".join([*lines, "" if verdict.reasons else "all limits held", ""])


_HEADS: Final = ("count", "p50", "p90", "p95", "p99", "p99.9", "max")


@events.init.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    Session(environment)
    chosen: Any = environment.parsed_options
    if chosen.shape and not isinstance(environment.runner, WorkerRunner):
        shape = PlannedShape(chosen.shape, chosen.run_time or DEFAULT_SHAPE_S, chosen.num_users or 1)
        shape.runner = environment.runner
        environment.shape_class = shape
