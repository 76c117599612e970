"""Commands as they are recorded: enough to repeat a run, and nothing of the machine that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def repeatable(arguments: Sequence[str]) -> list[str]:
    """The arguments without `--out` and its value: where somebody put the file says nothing about the run."""
    kept: list[str] = []
    follows = False
    for argument in arguments:
        if not follows and not argument.startswith("--out"):
            kept.append(argument)
        follows = argument == "--out"
    return kept
