"""`report`: results folders, from raw files to tables, plots and a page."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from laura_fast.errors import LauraError

if TYPE_CHECKING:
    from laura_fast.report.raw import Run

results_option = click.option(
    "--results", type=click.Path(path_type=Path, file_okay=False), default=Path("results"), show_default=True
)


class ExtraMissingError(LauraError):
    """Plots need libraries that a server does not."""


@click.group()
def command() -> None:
    """Turn recorded measurements into tables, plots and a page."""
    if find_spec("matplotlib") is None:
        raise ExtraMissingError("reports need matplotlib: pip install 'laura-fast[bench]'")


@command.command()
@click.argument("name")
@click.option("--from", "raw_files", type=click.Path(path_type=Path), multiple=True, required=True, help="Raw file.")
@results_option
def new(name: str, raw_files: tuple[Path, ...], results: Path) -> None:
    """Write RESULTS/<date>-<commit>-NAME from raw files; never overwrites."""
    from laura_fast.report import folder, index, raw  # noqa: PLC0415 - after the check for the extra

    runs = [run for path in raw_files for run in raw.read(path)]
    date, commit = _origin(runs)
    created = folder.create(results, name, date=date, commit=commit, runs=runs)
    index.write(results)
    click.echo(created / "index.html")


@command.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@results_option
def rebuild(folders: tuple[Path, ...], results: Path) -> None:
    """Derive pages and plots anew, of all folders or of some; the record stays as it is."""
    from laura_fast.report import folder, index  # noqa: PLC0415 - after the check for the extra

    for path in folders or [results / entry.folder for entry in folder.history(results)]:
        folder.rebuild(path)
        click.echo(path / "index.html")
    index.write(results)


@command.command(name="list")
@results_option
def list_(results: Path) -> None:
    """Show all runs, newest first."""
    from laura_fast.report import folder  # noqa: PLC0415 - after the check for the extra

    table = Table("folder", "headlines")
    for entry in reversed(folder.history(results)):
        table.add_row(entry.folder, "\n".join(f"{value}  {label}" for label, value in entry.headlines.items()))
    Console().print(table)


def _origin(runs: list[Run]) -> tuple[str, str]:
    """Day and commit of what was measured: as the first run noted it, else now."""
    from laura_fast.report.raw.record import Record  # noqa: PLC0415 - after the check for the extra

    for run in runs:
        if (environment := getattr(run, "environment", None)) is not None:
            return environment.started_at[:10], environment.commit
        if isinstance(run, Record):
            return run.date, run.commit
    described = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(described, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return f"{datetime.now(UTC):%Y-%m-%d}", "unknown"
    return f"{datetime.now(UTC):%Y-%m-%d}", done.stdout.strip()
