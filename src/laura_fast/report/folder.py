"""Results folders: written once, never edited.

`raw.json`, `env.json` and `params.toml` are the record; `summary.md`, the plots and `index.html` are derived from it
and may be rebuilt. `history.ndjson` has one line per run with the checksum of its record.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import orjson

from laura_fast.errors import LauraError
from laura_fast.report import markdown, page, raw
from laura_fast.report.machine import Machine, inspect
from laura_fast.report.params import as_toml
from laura_fast.report.sections import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.report.document import Document
    from laura_fast.report.raw import Run

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
HISTORY: Final = "history.ndjson"
RAW: Final = "raw.json"
ENVIRONMENT: Final = "env.json"
PARAMETERS: Final = "params.toml"


class ResultsError(LauraError):
    """A results folder can't be written, or its record is not what it was."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the history: enough to find a run, compare it roughly, and know that its record is whole."""

    folder: str
    date: str
    commit: str
    kinds: list[str]
    headlines: dict[str, str]
    raw_sha256: str


def create(results: Path, name: str, *, date: str, commit: str, runs: Sequence[Run]) -> Path:
    """Writes a new folder `<date>-<commit>-<name>` in one step and adds its line to the history.

    Args:
        results: Where all folders are.
        name: Lower-case words with dashes.
        date: `YYYY-MM-DD` of the runs.
        commit: Of the project that was measured.
        runs: What was measured.

    Raises:
        ResultsError: The name is unfit, or the folder exists: results are never overwritten.
    """
    if not NAME.fullmatch(name):
        raise ResultsError(f"a results folder is named with lower-case letters, digits and dashes, not {name!r}")
    target = results / f"{date}-{commit}-{name}"
    if target.exists():
        raise ResultsError(f"{target} exists; results are written once: choose another name")
    results.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=results))
    try:
        draft.chmod(0o755)
        _write_record(draft, runs)
        document = _derive(draft, target.name)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _append(results, _entry(target, date, commit, runs, document))
    return target


def rebuild(folder: Path) -> None:
    """Derives summary, plots and page anew; the record stays as it is.

    Raises:
        ResultsError: The record is not the one that the history knows.
    """
    known = {entry.folder: entry for entry in history(folder.parent)}.get(folder.name)
    if known is None:
        raise ResultsError(f"{folder} is not in {HISTORY}")
    if _checksum(folder) != known.raw_sha256:
        raise ResultsError(f"{folder / RAW} was changed after it was written")
    _derive(folder, folder.name)


def history(results: Path) -> list[Entry]:
    """All runs, oldest first."""
    path = results / HISTORY
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()]


def _write_record(folder: Path, runs: Sequence[Run]) -> None:
    (folder / RAW).write_bytes(raw.collect(list(runs)))
    environment = orjson.dumps(msgspec.to_builtins(inspect()), option=orjson.OPT_INDENT_2)
    (folder / ENVIRONMENT).write_bytes(environment)
    (folder / PARAMETERS).write_text(as_toml(runs), encoding="utf-8")


def _derive(folder: Path, title: str) -> Document:
    """Everything but the record, from the record alone."""
    machine = msgspec.json.decode((folder / ENVIRONMENT).read_bytes(), type=Machine)
    document = compose(_title(title), f"results/{title}", machine, raw.read(folder / RAW))
    for stale in folder.glob("*.png"):
        stale.unlink()
    for chart in document.charts:
        (folder / f"{chart.name}.png").write_bytes(chart.png)
    (folder / "summary.md").write_text(markdown.render(document), encoding="utf-8")
    (folder / "index.html").write_text(page.render(document), encoding="utf-8")
    return document


def _title(folder: str) -> str:
    """`2026-11-23-4d5e6f-first-session` → `First session, 2026-11-23, commit 4d5e6f`."""
    year, month, day, commit, *words = folder.split("-")
    dirty = words[0] == "dirty"
    name = " ".join(words[1:] if dirty else words)
    return f"{name.capitalize()}, {year}-{month}-{day}, commit {commit}{' with changes' if dirty else ''}"


def _entry(target: Path, date: str, commit: str, runs: Sequence[Run], document: Document) -> Entry:
    return Entry(
        folder=target.name,
        date=date,
        commit=commit,
        kinds=sorted({type(run).__name__ for run in runs}),
        headlines={headline.label: headline.value for headline in document.headlines},
        raw_sha256=_checksum(target),
    )


def _checksum(folder: Path) -> str:
    return hashlib.sha256((folder / RAW).read_bytes()).hexdigest()


def _append(results: Path, entry: Entry) -> None:
    with (results / HISTORY).open("ab") as file:
        file.write(orjson.dumps(msgspec.to_builtins(entry), option=orjson.OPT_APPEND_NEWLINE))
