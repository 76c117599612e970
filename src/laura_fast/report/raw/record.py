"""A recorded run of anything that is judged by counts rather than by curves: endurance, fuzzing, attacks, bad input."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="record", tag_field="kind"):
    """One recorded run.

    Attributes:
        title: What was done, as a heading.
        command: Repeats it.
        date: `YYYY-MM-DD`, UTC.
        commit: Of the project that ran.
        seed: Of its dice; None where there are none.
        seconds: How long it took.
        columns: Heads of the table of outcomes.
        rows: Its cells, as text.
        caveats: What a reader must know before the table.
        data: Everything that was noted, in the tool's own form.
    """

    title: str
    command: str
    date: str
    commit: str
    seconds: float
    columns: list[str]
    rows: list[list[str]]
    seed: int | None = None
    caveats: list[str] = []
    data: Any = None
    format_version: Literal[1] = 1
