"""`import`: progress while documents go in, each bad record as it is met, and what became of all in the end."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from laura_fast.client.console.cells import one_line
from laura_fast.client.console.units import count
from laura_fast.client.transfer.files import STANDARD, opened, reader
from laura_fast.client.transfer.identity import Identity
from laura_fast.client.transfer.importing import Import
from laura_fast.client.transfer.preparing import prepared
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from laura_fast.client.documents import DocumentClient, Namespace
    from laura_fast.client.transfer.importing import Tally
    from laura_fast.client.transfer.preparing import Prepared
    from laura_fast.client.transfer.records import BadRecord

_LOOK_EVERY: Final = 500
"""Records between two looks at how far the file is read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the documents come from.

    Attributes:
        name: File name, or ``-``.
        form: One of `files.FORMATS`.
        types: Of CSV's columns.
        id_field: Whose value becomes the `_id`; empty: none.
        stream: What standard input is called, so that it is recognised when it comes again; empty: it is not.
    """

    name: str
    form: str
    types: Mapping[str, str] = field(default_factory=dict)
    id_field: str = ""
    stream: str = ""

    @property
    def resumable(self) -> bool:
        """Whether the same import again knows what is there."""
        return self.name != STANDARD or bool(self.stream) or bool(self.id_field)

    def identity(self, file: BinaryIO) -> Identity:
        """What the ids are made of."""
        if self.stream:
            return Identity.of_name(self.stream)
        return Identity.unknown() if self.name == STANDARD else Identity.of_content(file)


async def show_import(
    documents: DocumentClient,
    namespace: Namespace,
    source: Source,
    out: Console,
    notes: Console,
    *,
    stop_on_error: bool,
    as_json: bool,
) -> bool:
    """Imports and tells what became of it; False where a record failed.

    Raises:
        ClientError: The file or the cluster can't be used, or Ctrl-C came; what went in before is said.
    """
    await documents.reach(namespace)
    began = time.monotonic()
    work = Import(documents, namespace, stop_on_error=stop_on_error, on_problem=_problem(source.name, notes))
    try:
        with opened(source.name) as file, _progress(file, source, work.tally, notes) as watched:
            records = prepared(reader(file, source.form, source.types), source.identity(file), source.id_field)
            await work.run(watched(records))
    except (ClientError, asyncio.CancelledError) as error:
        notes.print(_so_far(work.tally, source), style="yellow", soft_wrap=True)
        raise error if isinstance(error, ClientError) else ClientError("interrupted") from error
    seconds = time.monotonic() - began
    if as_json:
        out.file.write(orjson.dumps(_facts(namespace, source, work.tally, seconds)).decode() + "\n")
    else:
        out.print(_summary(namespace, work.tally, seconds), soft_wrap=True)
    return not work.tally.failed


def _problem(name: str, notes: Console) -> Callable[[str, str], None]:
    def tell(place: str, reason: str) -> None:
        notes.print(f"{name}: {place}: {one_line(reason)}", style="red", soft_wrap=True)

    return tell


def _summary(namespace: Namespace, tally: Tally, seconds: float) -> str:
    untold = tally.failed - len(tally.problems)
    more = f" ({count(untold)} of them not told one by one)" if untold else ""
    return (
        f"{namespace}: {count(tally.inserted)} inserted, {count(tally.already_there)} already there, "
        f"{count(tally.failed)} failed{more}; {seconds:.1f} s"
    )


def _facts(namespace: Namespace, source: Source, tally: Tally, seconds: float) -> dict[str, Any]:
    problems = [{"place": place, "reason": reason} for place, reason in tally.problems]
    facts = {"namespace": str(namespace), "file": source.name, "seconds": round(seconds, 3)}
    return {**facts, **asdict(tally), "problems": problems}


def _so_far(tally: Tally, source: Source) -> str:
    again = "the same command again adds the rest" if source.resumable else "another run inserts them once more"
    return f"{count(tally.inserted)} inserted, {count(tally.already_there)} already there; {again}"


@contextmanager
def _progress(
    file: BinaryIO, source: Source, tally: Tally, notes: Console
) -> Iterator[Callable[[Iterator[Prepared | BadRecord]], Iterator[Prepared | BadRecord]]]:
    """On a terminal, a bar of how far the file is read; what it yields watches the records that pass."""
    total = Path(source.name).stat().st_size if source.name != STANDARD else None
    columns = TextColumn(source.name), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[done]}")
    quiet = not notes.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=notes, transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=total, done="")

        def watched(records: Iterator[Prepared | BadRecord]) -> Iterator[Prepared | BadRecord]:
            for number, record in enumerate(records):
                if not quiet and number % _LOOK_EVERY == 0:
                    bar.update(task, completed=file.tell() if total else 0, done=f"{count(tally.read)} documents")
                yield record

        yield watched
