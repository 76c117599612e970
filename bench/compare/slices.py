"""Processes that take turns on one core, some milliseconds each, so that the machine's moods meet all of them alike.

A core whose speed changes by half for seconds at a time spoils whatever is measured one after the other; between two
neighbouring slices it hardly ever changes. What is compared are therefore slices that ran within one turn.
"""

from __future__ import annotations

import contextlib
import json
import select
import statistics
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Final

from bench.compare.errors import MeasureError

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from bench.compare.trees import Tree

SLICE_S: Final = 0.008
"""Some eight batches, of which the first finds the caches as another process left them and does not count."""
TURNS: Final = 9
"""In each of which every process has one slice of the benchmark."""
ANSWER_S: Final = 120.0
"""A process that takes longer to set up, or to run a slice, will not end at all."""


class Side:
    """One process, with every benchmark set up."""

    def __init__(self, tree: Tree, names: Sequence[str], hash_seed: int) -> None:
        """Starts it.

        Raises:
            MeasureError: It failed.
        """
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `close` does
        self._process = subprocess.Popen(
            [tree.python, "-P", "-m", "bench.compare.worker", "slices", *names],
            cwd=tree.root,
            env=tree.environment(hash_seed),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            bufsize=0,
        )

    def absent(self) -> dict[str, str]:
        """Benchmarks that this code lacks, with the reason; call it once, before the first slice."""
        return dict(self._answer())

    def slice(self, name: str) -> float:
        """Runs one; the median CPU time of a call in ns.

        Raises:
            MeasureError: It failed.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it died of is asked below
            self._process.stdin.write(f"{name} {SLICE_S}\n".encode())
        return float(self._answer())

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _answer(self) -> Any:
        out = self._process.stdout
        assert out is not None
        if not select.select([out], [], [], ANSWER_S)[0]:
            raise MeasureError(f"a measured process said nothing for {ANSWER_S:.0f} s")
        line = out.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise MeasureError(f"a measured process failed:\n{self._said.read().decode()[-2000:]}")
        return json.loads(line)


def interleaved(
    trees: Mapping[str, Tree], names: Sequence[str], rng: random.Random
) -> Iterator[tuple[str, dict[str, float]]]:
    """Runs the benchmarks of all sides, one fresh process each, in turns of random order. Pin them to one core.

    Args:
        trees: By side; the first is what the others are compared with.
        names: Benchmarks.
        rng: Draws the orders, and the hash seed of all processes.

    Yields:
        Benchmark and ns per call of each side, such that their ratios are the median ratios within a turn.

    Raises:
        MeasureError: A process failed, or a side lacks a benchmark.
    """
    hash_seed = rng.getrandbits(32)
    with contextlib.ExitStack() as undo:
        sides: dict[str, Side] = {}
        for side, tree in trees.items():
            sides[side] = Side(tree, names, hash_seed)
            undo.callback(sides[side].close)
        for process in sides.values():
            for name, reason in process.absent().items():
                raise MeasureError(f"{name}: {reason}")
        for name in rng.sample(list(names), len(names)):
            turns = [_turn(sides, name, rng) for _ in range(TURNS)]
            yield name, paired(turns, next(iter(trees)))


def _turn(sides: Mapping[str, Side], name: str, rng: random.Random) -> dict[str, float]:
    return {side: sides[side].slice(name) for side in rng.sample(list(sides), len(sides))}


def paired(turns: Sequence[Mapping[str, float]], base: str) -> dict[str, float]:
    """The median of `base`, and of the others what their median ratio to it within a turn makes of that."""
    level = statistics.median(turn[base] for turn in turns)
    return {side: level * statistics.median(turn[side] / turn[base] for turn in turns) for side in turns[0]}
