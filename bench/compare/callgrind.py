"""Instructions of one call, from valgrind: the same on a busy machine as on a quiet one.

The worker runs a batch inside `PyObject_Dir`, which hardly anything else calls; callgrind collects there and dumps a
profile at each return, so the last profiles are those of the benchmarks, in order. With a fixed hash seed two runs of
the same code differ by less than 0.1 %.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.compare.errors import MeasureError
from bench.compare.rounds import work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.compare.trees import Tree

FUNCTION: Final = "PyObject_Dir"


def missing() -> str:
    """Why instructions can't be counted here; empty if they can."""
    return "" if shutil.which("valgrind") else "valgrind is not installed"


def instructions(tree: Tree, names: Sequence[str]) -> dict[str, float]:
    """Instructions per call of the benchmarks in which they are exact.

    Raises:
        MeasureError: The worker failed, or callgrind left fewer profiles than benchmarks.
    """
    with tempfile.TemporaryDirectory(prefix="callgrind-") as scratch:
        profile = Path(scratch, "profile")
        tool = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={profile}"]
        limits = [f"--toggle-collect={FUNCTION}", f"--dump-after={FUNCTION}"]
        answers = work(tree, "instructions", names, 0, [*tool, *limits])
        totals = [_total(path) for path in sorted(profile.parent.glob("profile.*"), key=_number)]
    counted = {name: answer["calls"] for name, answer in answers.items() if "calls" in answer}
    if len(totals) < len(counted):
        raise MeasureError(f"callgrind found {FUNCTION} {len(totals)} times, not {len(counted)}: no symbols?")
    return {name: total / calls for (name, calls), total in zip(counted.items(), totals[-len(counted) :], strict=True)}


def _number(path: Path) -> int:
    return int(path.suffix.removeprefix("."))


def _total(path: Path) -> int:
    found = re.search(r"^totals: (\d+)$", path.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
    if found is None:
        raise MeasureError(f"{path.name} is no profile of callgrind's")
    return int(found[1])
