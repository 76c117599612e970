"""`python -m bench.compare --base REV`: is this checkout slower than that commit?

Exit codes: 0 not slower, 1 SLOWER and not accepted, 2 could not be measured.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path

import click

from bench.compare import accepted, case, comparison, report, trees
from bench.compare.errors import BaseUnavailableError, CompareError


@click.command(help=__doc__)
@click.option("--base", help="Commit to compare with. Default: the merge base where CI tells it, or the parent.")
@click.option("--ci", is_flag=True, help="No base to be had, or no change in the code: say so and end with 0.")
@click.option("--only", help="Benchmarks to run, with commas between. Default: all.")
@click.option("--seed", type=int, help="Of orders and hash seeds. Default: random, and reported.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for Markdown, JSON and a chart.")
def main(*, base: str | None, ci: bool, only: str | None, seed: int | None, out: Path | None) -> None:
    """Compares, reports, and ends with the code that says it."""
    try:
        commit = trees.resolve(base) if base else trees.previous()
        if ci and trees.unchanged_since(commit):
            click.echo(f"not measured: nothing under {', '.join(trees.CODE)} differs from {commit[:12]}")
            return
        names = only.split(",") if only else case.names()
        found = _compare(commit, names, secrets.randbits(32) if seed is None else seed)
    except CompareError as error:
        click.echo(f"not measured: {error}", err=True)
        sys.exit(0 if ci and isinstance(error, BaseUnavailableError) else 2)
    click.echo(report.markdown(found))
    if out:
        report.write(found, out)
    sys.exit(1 if found.failures else 0)


def _compare(commit: str, names: list[str], seed: int) -> comparison.Comparison:
    with tempfile.TemporaryDirectory(prefix="laura-fast-compare-") as scratch:
        base = trees.export_commit(commit, Path(scratch, "base"))
        head = trees.export_checkout(Path(scratch, "head"))
        sides = comparison.Sides(base, head, commit, trees.cases_of(commit))
        return comparison.compare(sides, names, seed, accepted.read(), now=time.monotonic, tell=_tell)


def _tell(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
