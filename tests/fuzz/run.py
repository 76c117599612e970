"""Runs the fuzz targets under atheris and records the runs: python -m tests.fuzz.run --help."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = Path(__file__).resolve().parent / "corpus"
TARGETS = ("hpack", "framing", "connection", "documents")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_PEAK = re.compile(r"stat::peak_rss_mb:\s*(\d+)")
_SLOWEST = re.compile(r"stat::slowest_unit_time_sec:\s*(\d+)")


@dataclass(frozen=True)
class Run:
    """One campaign of one target."""

    target: str
    seed: int
    seconds: float
    executions: int
    peak_rss_mb: int
    slowest_input_s: int
    failed: bool


def fuzz(target: str, arguments: list[str]) -> None:
    """Fuzzes in this process until libFuzzer ends it."""
    import atheris  # noqa: PLC0415  # only this command needs it

    with atheris.instrument_imports(include=["laura_fast.wire", "laura_fast.domain.documents"]):
        module = importlib.import_module(f"tests.fuzz.{target}_target")
    atheris.Setup([sys.argv[0], *arguments], module.one_input)
    atheris.Fuzz()


def campaign(target: str, seed: int, seconds: int, work: Path) -> Run:
    """Runs one target in a process of its own. New inputs go to `work`, failing ones too."""
    grown = work / target
    grown.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "tests.fuzz.run", "fuzz", target, f"-seed={seed}", f"-max_total_time={seconds}"),
        *("-max_len=512", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={work}/"),
        *(str(grown), str(CORPUS / target)),
    ]
    started = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    output = ended.stdout + ended.stderr
    if ended.returncode:
        print(output[-4000:])
    executions, peak_rss_mb, slowest_input_s = (_last(pattern, output) for pattern in (_EXECUTED, _PEAK, _SLOWEST))
    seconds_taken = round(time.monotonic() - started, 1)
    return Run(target, seed, seconds_taken, executions, peak_rss_mb, slowest_input_s, bool(ended.returncode))


def _last(pattern: re.Pattern[str], output: str) -> int:
    found = pattern.findall(output)
    return int(found[-1]) if found else 0


def record(runs: list[Run], commit: str) -> Path:
    """Writes the runs to results/."""
    today = dt.datetime.now(dt.UTC).date()
    folder = ROOT / "results" / f"{today}-{commit}-fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    raw = {"commit": commit, "date": str(today), **machine, "runs": [asdict(run) for run in runs]}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / "summary.md").write_text(_summary(runs, commit))
    return folder


def _summary(runs: list[Run], commit: str) -> str:
    lines = [
        f"# Fuzzing at {commit}",
        "",
        "Coverage-guided (atheris), niced, on a machine that was busy with other work: the counts are what matters,",
        "the rates are not. A run fails on any exception that leaves the target, an input of 10 s, or 1 GiB.",
        "",
        "| target | runs | executions | seconds | peak RSS (MB) | failures |",
        "|---|---|---|---|---|---|",
    ]
    for target in dict.fromkeys(run.target for run in runs):
        mine = [run for run in runs if run.target == target]
        lines.append(
            f"| {target} | {len(mine)} | {sum(run.executions for run in mine):,} | {sum(r.seconds for r in mine):,.0f} "
            f"| {max(run.peak_rss_mb for run in mine)} | {sum(run.failed for run in mine)} |"
        )
    lines.append(f"| all | {len(runs)} | {sum(run.executions for run in runs):,} | | | {sum(r.failed for r in runs)} |")
    return "\n".join([*lines, "", "Seeds and times of each run: raw.json.", ""])


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    single = commands.add_parser("fuzz", help="fuzz one target here; other arguments go to libFuzzer")
    single.add_argument("target", choices=TARGETS)
    many = commands.add_parser("campaign", help="run targets one after the other and record the runs in results/")
    many.add_argument("targets", nargs="+", choices=TARGETS)
    many.add_argument("--seconds", type=int, default=60, help="of each run")
    many.add_argument("--seeds", type=int, nargs="+", default=[1])
    many.add_argument("--work", type=Path, required=True, help="where new inputs are kept between runs")
    chosen, rest = parser.parse_known_args()
    if chosen.command == "fuzz":
        fuzz(chosen.target, rest)
        return 0
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    runs = [campaign(name, seed, chosen.seconds, chosen.work) for seed in chosen.seeds for name in chosen.targets]
    print(record(runs, commit))
    return any(run.failed for run in runs)


if __name__ == "__main__":
    sys.exit(main())
