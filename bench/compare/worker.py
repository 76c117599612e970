"""The measured process: `python -m bench.compare.worker MODE NAME…`, one line of JSON for each thing that is asked.

It imports whatever `laura_fast` is first on the path. A benchmark that this code can't set up is answered with the
reason instead of a number: on the older side that is how a new benchmark looks.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import laura_fast
from bench.compare.case import Case, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Answer = dict[str, Any]

WARM_UP_S: Final = 0.02
"""Enough for every loop to be specialised (PEP 659) and every cache to be filled."""
EXACT_WARM_UP_BATCHES: Final = 5
EXACT_BATCHES: Final = 5
"""The least of so many: now and then a dict or a free list grows, which isn't the batch's own."""
_cpu_ns = time.process_time_ns


def serve_slices(names: Sequence[str]) -> None:
    """Sets up everything, says what can't be, then runs a slice for each line of standard input: `NAME SECONDS`.

    Answers each with the median CPU time of a call in nanoseconds, all threads of the process together.
    """
    cases, absent = dict[str, Case](), dict[str, str]()
    for name in names:
        try:
            cases[name] = prepare(name)
        except Exception as error:  # noqa: BLE001  # whatever this code lacks, the caller decides what it means
            absent[name] = _reason(error)
    for case in cases.values():
        _time_batches(case, WARM_UP_S)
    gc.collect()
    gc.freeze()  # what set-up made is not looked through again; what calls make is collected as ever
    _say(absent)
    for line in sys.stdin:
        name, seconds = line.split()
        batches = _time_batches(cases[name], float(seconds))
        _say(statistics.median(batches[1:] or batches) / cases[name].calls)


def _say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _time_batches(case: Case, seconds: float) -> list[int]:
    begin, work, spent = case.begin, case.work, []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        batch = begin()
        started = _cpu_ns()
        work(batch)
        spent.append(_cpu_ns() - started)
    return spent


def count_case(case: Case) -> Answer:
    """Exact figures: the benchmark's own, and what its calls do to memory where no other thread interferes."""
    counts = case.counts()
    if not case.threaded:
        _settle(case)
        counts["blocks kept"] = float(min(_blocks_kept(case) for _ in range(EXACT_BATCHES)) // case.calls)
        tracemalloc.start()
        counts["peak bytes"] = float(min(_peak_bytes(case) for _ in range(EXACT_BATCHES)))
        tracemalloc.stop()
    return {"counts": counts}


def _settle(case: Case) -> None:
    for _ in range(EXACT_WARM_UP_BATCHES):
        case.work(case.begin())
    gc.collect()
    gc.disable()  # a collection in the middle would free what another batch left


def _blocks_kept(case: Case) -> int:
    batch = case.begin()
    before = sys.getallocatedblocks()
    case.work(batch)
    return sys.getallocatedblocks() - before


def _peak_bytes(case: Case) -> int:
    batch = case.begin()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    case.work(batch)
    return tracemalloc.get_traced_memory()[1] - before


class _Span:
    """`dir(_Span(work))` runs the work inside `PyObject_Dir`, the function that callgrind was told to collect in."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def __dir__(self) -> list[str]:
        self._work()
        return []


def instructions_case(case: Case) -> Answer:
    """Runs one batch where callgrind counts; see `callgrind`."""
    if case.threaded:
        return {"absent": "threads take turns at will"}
    _settle(case)
    batch = case.begin()
    dir(_Span(lambda: case.work(batch)))
    return {"calls": case.calls}


def _attempt(name: str, measure: Callable[[Case], Answer]) -> Answer:
    try:
        case = prepare(name)
    except Exception as error:  # noqa: BLE001  # whatever this code lacks, the caller decides what it means
        return {"absent": _reason(error)}
    try:
        return measure(case)
    finally:
        case.close()


def main(mode: str, *names: str) -> None:
    """Measures in this order.

    Args:
        mode: `slices`, `counts` or `instructions`.
        names: Benchmarks.
    """
    assert Path(laura_fast.__file__).is_relative_to(os.environ["PYTHONPATH"].split(os.pathsep)[0]), "another tree"
    if mode == "slices":
        serve_slices(names)
    else:
        measure = {"counts": count_case, "instructions": instructions_case}[mode]
        print(json.dumps({name: _attempt(name, measure) for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
