"""`params.toml`: how each run of a results folder was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from laura_fast.report.raw.load import LoadRun
from laura_fast.report.raw.micro import MicroRun
from laura_fast.report.raw.record import Record
from laura_fast.report.raw.rivals import Session
from laura_fast.report.raw.scaling import ScalingSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laura_fast.report.raw import Run

    Value = str | int | float | list[str]


def as_toml(runs: Sequence[Run]) -> str:
    """One table per run."""
    return "\n".join("[[run]]\n" + _table(_parameters(run)) for run in runs)


def _parameters(run: Run) -> Mapping[str, Value]:
    match run:
        case Session():
            subjects = [subject.name for subject in run.subjects]
            return _measured(run.tool, run.command, run) | {"subjects": subjects}
        case ScalingSession():
            load = {"connections": run.connections, "streams": run.streams}
            return _measured("bench.scaling", run.command, run) | load
        case LoadRun():
            return {
                "kind": "load",
                "scenario": run.scenario,
                "users": run.users,
                "shape": run.shape,
                "duration_s": run.duration_s,
                "workers": run.workers,
            }
        case MicroRun():
            return {"kind": "micro", "pytest_benchmark": run.version, "benchmarks": len(run.benchmarks)}
        case Record():
            seed = {} if run.seed is None else {"seed": run.seed}
            return {"kind": "record", "command": run.command, "commit": run.commit, "seconds": run.seconds, **seed}


def _measured(kind: str, command: list[str], run: Session | ScalingSession) -> dict[str, Value]:
    where = run.environment
    return {
        "kind": kind,
        "command": command,
        "seed": run.seed,
        "rounds": run.rounds,
        "started_at": where.started_at,
        "commit": where.commit,
        "load_generator": where.load_generator,
        "server_core": where.server_core,
        "load_core": where.load_core,
    }


def _table(values: Mapping[str, Value]) -> str:
    """Strings, numbers and lists of strings are written in TOML as in JSON."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
