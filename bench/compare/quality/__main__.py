"""`python -m bench.compare.quality record|live|report`: see the package."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
import orjson

from bench.compare.errors import CompareError
from bench.compare.quality import bed, recording, resample
from bench.compare.quality.table import by_variant, quality
from laura_fast.report.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED: Final = 20_261_127
folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/quality"),
    show_default=True,
    help="Of the recording; an old one goes on where it stopped, with the code that it began with.",
)


@click.group(help=__doc__)
def main() -> None:
    """Chooses one."""


@main.command()
@folder_option
@click.option("--rounds", type=click.IntRange(min=1), default=200, show_default=True, help="In all, not in addition.")
@click.option("--seed", default=SEED, show_default=True, help="Of a new recording.")
def record(*, folder: Path, rounds: int, seed: int) -> None:
    """Measures rounds of every variant."""
    with _bed(folder, seed) as made:
        recording.record(folder, made, rounds, click.echo)


@main.command()
@folder_option
@click.option("--runs", type=click.IntRange(min=1), default=10, show_default=True, help="Of each variant, in all.")
@click.option("--seed", default=SEED, show_default=True, help="Of a new recording.")
def live(*, folder: Path, runs: int, seed: int) -> None:
    """Runs the whole gate against every variant."""
    with _bed(folder, seed) as made:
        recording.run_live(folder, made, runs, click.echo)


@main.command()
@folder_option
@click.option("--runs", type=click.IntRange(min=1), default=1_000, show_default=True, help="To resample per variant.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Record for `laura_fast report`.")
def report(*, folder: Path, runs: int, out: Path | None) -> None:
    """Resamples gate runs and shows the table."""
    recorded = recording.rounds(folder)
    if not recorded:
        raise click.ClickException(f"no rounds in {folder}: record some first")
    command = f"python -m bench.compare.quality record --rounds {len(recorded)}"
    plan = bed.read_plan(folder)
    shares = resample.shares(by_variant(recorded), runs, plan.seed)
    found = quality(plan, recorded, recording.live(folder), shares, command)
    click.echo(table(found.columns, found.rows))
    if out:
        out.write_bytes(orjson.dumps(msgspec.to_builtins(found)))


@contextlib.contextmanager
def _bed(folder: Path, seed: int) -> Iterator[bed.Bed]:
    """The code under test. What can't be measured ends with 2, as with the gate; Ctrl-C loses the interrupted round."""
    try:
        with tempfile.TemporaryDirectory(prefix="laura-fast-quality-") as scratch:
            yield bed.make(folder, Path(scratch), seed, click.echo)
    except CompareError as error:
        click.echo(f"not measured: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
