"""`verify`: how far a check is, and what it found."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from rich.progress import Progress, SpinnerColumn, TextColumn

from laura_fast.client.console.cells import one_line
from laura_fast.client.console.units import count
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from rich.console import Console

    from laura_fast.client.documents import Verification


async def show_verification(
    steps: AsyncGenerator[Verification], out: Console, notes: Console, *, as_json: bool
) -> bool:
    """Follows a check to its end and prints what it found; whether all is well.

    Raises:
        ClientError: It ended before it was complete.
    """
    last = None
    columns = SpinnerColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as bar:
        task = bar.add_task("", total=None)
        async with aclosing(steps):
            async for last in steps:
                bar.update(task, description=_checked(last))
    if last is None or not last.complete:
        raise ClientError("the check ended before it was complete")
    if as_json:
        out.file.write(orjson.dumps(asdict(last), option=orjson.OPT_APPEND_NEWLINE).decode())
        return not last.problems
    for problem in last.problems:
        out.print(one_line(problem), style="red", soft_wrap=True)
    out.print(f"{_checked(last)} checked: {_verdict(len(last.problems))}", soft_wrap=True)
    return not last.problems


def _verdict(problems: int) -> str:
    if not problems:
        return "everything agrees"
    return "1 problem" if problems == 1 else f"{count(problems)} problems"


def _checked(step: Verification) -> str:
    return (
        f"{count(step.documents)} documents, {count(step.index_entries)} index entries, "
        f"{count(step.oplog_entries)} log entries"
    )
