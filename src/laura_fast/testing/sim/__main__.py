"""`python -m laura_fast.testing.sim`: replica sets on a virtual clock, from seeds, with everything that can go wrong.

Exit code 1 when a rule was broken; the seed and the number of the last event are printed, and `--trace` with the same
seed and commit shows every event up to there. Ctrl-C ends it after the seeds under way, and what they have shown is
told as if no more had been asked for; a second one ends it at once.
"""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from laura_fast.testing.sim.running import DOCUMENTS_EVERY, Tally, engine_of, outcomes
from laura_fast.testing.sim.simulation import ENGINES, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

CAVEATS: Final = (
    """The election machine, the driver, the log and the waiting for a majority are those of servers. The network, the
disk, the clocks and the storage under the log are simulated; gRPC, TLS and the kernel are not in it.""",
    f"""Every seed that {DOCUMENTS_EVERY} divides runs over the storage engine of servers with its tables in memory; the
others over a list of entries and a dict of registers that pass the same crash points. The point `collecting` exists
in the engine alone.""",
    "Clients write with a concern of majority and read with one of linearizable, one register at a time.",
    """A crash may lose a sync that was on its way or not; what was synced is never damaged. Over the storage engine
members also lose everything at once, never more of them than the others can go on without.""",
)


class Range(click.ParamType):  # type: ignore[type-arg]  # not generic when it runs
    """`A..B`, both of them included."""

    name = "A..B"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """The seeds."""
        first, separator, last = value.partition("..")
        if not (separator and first.isdecimal() and last.isdecimal()):
            self.fail(f"{value} is not of the form A..B", param, ctx)
        return range(int(first), int(last) + 1)


@click.command(help=__doc__)
@click.option("--seed", type=click.IntRange(0), help="Run this one.")
@click.option("--seeds", type=Range(), help="Run all of these.")
@click.option("--minutes", type=float, help="Go on for so long: until the seeds are through, or from --seed upwards.")
@click.option("--engine", type=click.Choice(sorted(ENGINES)), help="What members keep their logs in; else by the seed.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--trace", is_flag=True, help="Print every event of --seed.")
@click.option("--quiet", is_flag=True, help="Print no line for each seed.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the record goes.")
def main(
    *,
    seed: int | None,
    seeds: range | None,
    minutes: float | None,
    engine: str | None,
    jobs: int,
    trace: bool,
    quiet: bool,
    out: Path | None,
) -> None:
    """Runs seeds."""
    if (seed is None) == (seeds is None):
        raise click.UsageError("give either --seed or --seeds")
    if trace and seed is not None:
        outcome = run(seed, engine or engine_of(seed), keep=True)
        click.echo("\n".join(outcome.lines))
        click.echo(_line(outcome))
        raise SystemExit(bool(outcome.violation))
    chosen: Iterable[int] = seeds if seeds is not None else count(seed or 0) if minutes else [seed or 0]
    started = time.monotonic()
    until = started + minutes * 60 if minutes else float("inf")
    interrupted, tally = _interruption(), Tally()
    for outcome in outcomes(
        chosen, engine or "", jobs=jobs, go_on=lambda: not interrupted.is_set() and time.monotonic() < until
    ):
        tally.add(outcome)
        if outcome.violation or not quiet:
            click.echo(_line(outcome))
    if not tally.seeds:
        raise click.ClickException("no seed was run")
    click.echo(tally.summary())
    if out:
        out.write_bytes(msgspec.json.encode(_record(tally, time.monotonic() - started)))
    raise SystemExit(bool(tally.violations))


def _interruption() -> Event:
    """Set by the first Ctrl-C; the processes that share the seeds get the same signal, and finish what they have."""
    interrupted = Event()

    def first(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupted.set()

    signal.signal(signal.SIGINT, first)
    return interrupted


def _line(outcome: Outcome) -> str:
    told = (
        f"seed {outcome.seed} over {outcome.engine}: {outcome.events} events, {outcome.faults} faults, "
        f"{outcome.commits} commits, {outcome.elections} elections, {outcome.seconds:g} s, "
        f"fingerprint {outcome.fingerprint:08x}"
    )
    return f"{told}\nVIOLATION at event {outcome.events}: {outcome.violation}" if outcome.violation else told


def _record(tally: Tally, seconds: float) -> dict[str, Any]:
    """As `python -m laura_fast report` takes it."""
    described = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    commit = subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - fixed words
    return {
        "kind": "record",
        "title": "Replica sets in simulation",
        "command": f"python -m laura_fast.testing.sim --seeds {tally.first}..{tally.last} --quiet --out raw.json",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit,
        "seed": tally.first,
        "seconds": round(seconds, 1),
        "columns": ["what", "over lists", "over the storage engine"],
        "rows": tally.rows(),
        "caveats": CAVEATS,
        "data": tally.told(),
    }


if __name__ == "__main__":
    main()
