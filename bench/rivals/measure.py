"""One run: a fresh server process, one scenario, one sample."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from bench.rivals import procfs, registrar
from bench.rivals.load import Load
from bench.rivals.rival import Launch
from laura_fast.report.raw.rivals import Sample, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.rivals.load import LoadResult, Target
    from bench.rivals.process import Running
    from bench.rivals.rival import Rival

FIRST_REQUESTS: Final = 200
"""Of the first warm-up, when nothing is known of the server's speed."""
WARM_UP_SHARE: Final = 0.3
"""Of the measured time, spent warming up at full speed; its rate sizes the measured run."""
CAPACITY_STREAMS: Final = 10
"""For finding a subject's own rate: on ten connections this saturates it without a queue that slows it down."""
SATURATED_PERCENT: Final = 90
MISSED_RATE: Final = 0.98
STRANGERS_PERCENT: Final = 15
"""Of a core: more than timer ticks and softirqs of the loopback amount to."""


@dataclass(frozen=True)
class Bench:
    """Where and for how long to measure."""

    server_core: int = 0
    load_core: int = 1
    seconds: float = 3.0
    """Of one measured run, about: its number of requests is fixed before it starts."""


@dataclass(frozen=True)
class Usage:
    """Counters before and after a run."""

    at: float
    server_s: float
    core_s: float

    @classmethod
    def read(cls, running: Running, core: int) -> Usage:
        """The counters now."""
        return cls(time.monotonic(), procfs.cpu_seconds(running.pid), procfs.core_busy_seconds(core))


@dataclass(frozen=True)
class Taken:
    """All that one run gave."""

    load: Load
    result: LoadResult
    before: Usage
    after: Usage
    memory_kib: int
    answer_bytes: int


def measure(rival: Rival, scenario: Scenario, bench: Bench, place: tuple[int, int]) -> Sample:
    """Starts the rival, loads it as the scenario says and ends it.

    Args:
        rival: One that `plays` the scenario, built before.
        scenario: The load.
        bench: Cores and time.
        place: Round and position in it, for the sample.

    Raises:
        StartError: It didn't start.
        WrongAnswersError: It answered wrongly.
    """
    with TemporaryDirectory(prefix="rival-") as folder:
        launch = Launch(bench.server_core, bench.load_core, Path(folder), scenario.topology)
        with rival.start(launch) as running:
            target = rival.prepare(running, scenario, launch)
            drive = (
                registrar.run if scenario.call == "registration" else rival.drivers.get(scenario.client, rival.drive)
            )
            load = _size(drive, target, scenario, bench, Path(folder))
            before = Usage.read(running, bench.server_core)
            result = drive(target, load)
            after = Usage.read(running, bench.server_core)
            memory = procfs.rss_anon_kib(running.pid)
    taken = Taken(load, result, before, after, memory, target.answer_bytes)
    return _sample(taken, rival.name, scenario, place)


def _size(
    drive: Callable[[Target, Load], LoadResult], target: Target, scenario: Scenario, bench: Bench, scratch: Path
) -> Load:
    """Warms the server up and decides how many requests make a run of about `bench.seconds`."""
    load = Load(
        scenario.nodes, scenario.connections, scenario.streams, bench.load_core, scratch, in_flight=scenario.in_flight
    )
    if scenario.call == "registration":
        return load
    rate = scenario.rps or _warm_up(drive, target, load, scenario, bench) * (scenario.load_percent or 100) / 100
    paced = bool(scenario.rps or scenario.load_percent)
    return replace(load, requests=_whole(rate * bench.seconds, load), rps=round(rate) if paced else 0)


SHORTEST_S: Final = 0.001
"""Redis is through with the first requests before its generator's clock, of whole milliseconds, has moved."""


def _warm_up(
    drive: Callable[[Target, Load], LoadResult], target: Target, load: Load, scenario: Scenario, bench: Bench
) -> float:
    """The closed-loop rate, in requests per second."""
    if scenario.load_percent:
        load = replace(load, streams=CAPACITY_STREAMS)
    first = drive(target, replace(load, requests=_whole(FIRST_REQUESTS, load)))
    rate = first.requests / max(first.seconds, SHORTEST_S)
    second = drive(target, replace(load, requests=_whole(rate * bench.seconds * WARM_UP_SHARE, load)))
    return second.requests / second.seconds


def _whole(requests: float, load: Load) -> int:
    """The next number that gives every connection the same share and fills all streams once."""
    share = max(math.ceil(requests / load.connections), load.streams * load.in_flight)
    return share * load.connections


def _sample(taken: Taken, subject: str, scenario: Scenario, place: tuple[int, int]) -> Sample:
    result, before, after = taken.result, taken.before, taken.after
    rate, load_percent = result.requests / result.seconds, 100 * result.cpu_seconds / result.seconds
    return Sample(
        round=place[0],
        position=place[1],
        subject=subject,
        scenario=scenario,
        requests=result.requests,
        seconds=result.seconds,
        requests_per_s=rate,
        server_cpu_us_per_call=1e6 * (after.server_s - before.server_s) / result.requests,
        load_cpu_percent=load_percent,
        latency=result.latency,
        rss_anon_kib=taken.memory_kib,
        answer_bytes=taken.answer_bytes,
        asked_rps=taken.load.rps,
        notes=_notes(rate, taken.load.rps, load_percent, strangers_percent(before, after)),
    )


def strangers_percent(before: Usage, after: Usage) -> float:
    """Share of the server's core that went to other processes, in percent of the time between the two readings."""
    strangers = (after.core_s - before.core_s) - (after.server_s - before.server_s)
    return 100 * max(strangers, 0.0) / (after.at - before.at)


def _notes(rate: float, asked: int, load_percent: float, strangers: float) -> list[str]:
    found = {
        f"the load generator used {load_percent:.0f} % of its core": load_percent > SATURATED_PERCENT,
        f"{rate:.0f}/s of {asked}/s asked for": rate < MISSED_RATE * asked,
        f"other processes used {strangers:.0f} % of the server's core": strangers > STRANGERS_PERCENT,
    }
    return [note for note, applies in found.items() if applies]
