"""The code under test: one commit and its slowed-down copies, made anew whenever a recording goes on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from bench.compare import trees
from bench.compare.errors import MeasureError
from bench.compare.quality.plant import Loop, calibrate, plant
from bench.compare.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PERCENTS: Final = (0, 3, 5, 10, 20)
"""What is planted; 0 is a copy of the same code."""
PLAN: Final = "plan.json"


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is recorded; a folder has one and keeps to it.

    Attributes:
        commit: Of the code.
        seed: Of orders and hash seeds.
        loop: As calibrated.
        turns: Of the loop, by percent.
    """

    commit: str
    seed: int
    loop: Loop
    turns: dict[int, int]


@dataclass(frozen=True, slots=True)
class Bed:
    """The plan with its code.

    Attributes:
        plan: What is recorded.
        base: The code as it is.
        variants: By percent, the slowed-down copies.
    """

    plan: Plan
    base: Tree
    variants: dict[int, Tree]


def read_plan(folder: Path) -> Plan:
    """The folder's plan.

    Raises:
        MeasureError: It has none, or none that is one.
    """
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise MeasureError(f"{folder / PLAN}: {error}") from error


def make(folder: Path, scratch: Path, seed: int, tell: Callable[[str], None]) -> Bed:
    """The code of the folder's plan; a new folder's plan is HEAD, calibrated now.

    Args:
        folder: Of the recording.
        scratch: For the copies.
        seed: Of a new plan.
        tell: Gets a line when it takes a while.

    Raises:
        CompareError: There is no such commit, or it can't be measured.
    """
    commit = read_plan(folder).commit if (folder / PLAN).exists() else trees.resolve("HEAD")
    base = trees.export_commit(commit, scratch / "base")

    def copy(name: str) -> Tree:
        shutil.copytree(base.root, scratch / name)
        return Tree(scratch / name, base.python)

    if not (folder / PLAN).exists():
        tell("calibrating the planted loop")
        loop = calibrate(base, copy, seed)
        plan = Plan(commit, seed, loop, {percent: loop.turns(percent) for percent in PERCENTS if percent})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PLAN).write_bytes(msgspec.json.encode(plan))
    plan = read_plan(folder)
    variants = {0: copy("p000")}
    for percent, turns in plan.turns.items():
        variants[percent] = copy(f"p{percent:03d}")
        plant(variants[percent].root, turns)
    return Bed(plan, base, variants)
