"""The measuring of the gate: planting, recordings that go on, resampled runs, and the table."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from bench.compare import case, trees
from bench.compare.errors import MeasureError
from bench.compare.quality import bed, plant, recording, resample, table
from bench.compare.quality.__main__ import main
from bench.compare.rounds import Round
from bench.compare.trees import Tree
from laura_fast.report import raw

if TYPE_CHECKING:
    from pathlib import Path

HERE = Tree(trees.ROOT)
PLAN = bed.Plan("0" * 40, 1, plant.Loop(7_000.0, 100.0, 7.0), {5: 36, 10: 86})


def rounds(count: int, percent: float, *, noise: float = 0.01, dirty: bool = False) -> list[Round]:
    """Rounds of a machine with this noise, the heartbeat slower by so much."""
    rng = np.random.default_rng(int(percent * 100))
    spins = [1.0, 2.0] if dirty else [1.0, 1.0]

    def figures(name: str) -> tuple[float, float, float]:
        base, head, control = np.exp(rng.normal(0, noise, 3)) * 7_000
        return float(base), float(head) * (1 + percent / 100 * (name == plant.BENCHMARK)), float(control)

    return [Round({name: figures(name) for name in ("heartbeat", "registry")}, spins) for _ in range(count)]


def recorded(count: int = 40) -> list[recording.RecordedRound]:
    """Rounds with 0, 5 and 10 % planted."""
    columns = {percent: rounds(count, percent) for percent in (0, 5, 10)}
    return [
        recording.RecordedRound(float(at), {percent: column[at] for percent, column in columns.items()})
        for at in range(count)
    ]


def test_turns_of_the_loop_come_from_what_it_costs() -> None:
    assert PLAN.loop.turns(5) == 36
    assert PLAN.loop.turns(1) == 0, "a loop costs more than that"


def test_the_loop_is_planted_where_every_unary_call_passes(tmp_path: Path) -> None:
    copy = tmp_path / plant.FILE
    copy.parent.mkdir(parents=True)
    original = (trees.ROOT / plant.FILE).read_text()
    copy.write_text(original)
    plant.plant(tmp_path, 7)
    assert copy.read_text() == original.replace(plant.ENTRY, "    for _ in b'.......':\n        pass\n" + plant.ENTRY)


def test_code_without_that_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / plant.FILE).parent.mkdir(parents=True)
    (tmp_path / plant.FILE).write_text("")
    with pytest.raises(MeasureError, match="planted"):
        plant.plant(tmp_path, 7)


def test_calibration_finds_what_a_loop_costs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interleaved(trees: dict[str, Tree], _names: object, _rng: object) -> list[tuple[str, dict[str, float]]]:
        return [("heartbeat", {side: 7_100.0 + 7 * int(side) if int(side) else 7_000.0 for side in trees})]

    monkeypatch.setattr(plant, "interleaved", interleaved)
    monkeypatch.setattr(plant, "plant", lambda *_: None)
    loop = plant.calibrate(HERE, lambda name: Tree(tmp_path / name), 1)
    assert (loop.call, loop.entry, loop.turn) == pytest.approx((7_000, 100, 7))


def test_a_recording_goes_on_where_it_was_cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seeds: list[float] = []

    def measure_all(_base: Tree, heads: dict[str, Tree], _names: object, rng: random.Random) -> dict[str, Round]:
        seeds.append(rng.random())
        return dict.fromkeys(heads, rounds(1, 0)[0])

    monkeypatch.setattr(recording, "measure_all", measure_all)
    made = bed.Bed(PLAN, HERE, {0: HERE, 5: HERE})
    recording.record(tmp_path, made, 2, lambda _line: None)
    with (tmp_path / recording.ROUNDS).open("ab") as file:
        file.write(b'{"at": 1.0, "var')
    recording.record(tmp_path, made, 3, lambda _line: None)
    assert [sorted(one.variants) for one in recording.rounds(tmp_path)] == [[0, 5]] * 3
    assert len(set(seeds)) == 3, "rounds repeat each other"


def test_live_runs_take_turns_and_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(_bed: bed.Bed, percent: int, seed: int) -> recording.LiveRun:
        return recording.LiveRun(percent, seed, {"heartbeat": "SAME"}, 10, 1.0)

    monkeypatch.setattr(recording, "_run", run)
    made = bed.Bed(PLAN, HERE, {0: HERE, 5: HERE})
    recording.run_live(tmp_path, made, 1, lambda _line: None)
    recording.run_live(tmp_path, made, 2, lambda _line: None)
    found = recording.live(tmp_path)
    assert [one.percent for one in found] == [0, 5, 0, 5]
    assert len({one.seed for one in found}) == 4


def test_resampled_runs_find_what_was_planted_and_nothing_else() -> None:
    assert resample.share(rounds(40, 0), 20, 1).alarms == 0
    found = resample.share(rounds(40, 10), 20, 1)
    assert (found.found, found.alarms, found.runs) == (20, 0, 20)


def test_blocks_are_neighbouring_rounds() -> None:
    source = resample.Recorded([{"a": (float(at), 0.0, 0.0)} for at in range(50)], random.Random(1))  # noqa: S311  # dice
    drawn = [figures["a"][0] for figures in source.take(["a"], 10)]
    for block in (drawn[:5], drawn[5:]):
        assert all((later - earlier) % 50 == 1 for earlier, later in pairwise(block))
    assert source.time_for(10, 30)


def test_dirty_rounds_are_left_out_while_there_are_enough_clean_ones() -> None:
    clean, dirty = rounds(16, 0), rounds(4, 0, dirty=True)
    assert resample.usable([*clean, *dirty]) == [one.figures for one in clean]
    assert len(resample.usable([*clean[:3], *dirty])) == 7


def test_the_table_holds_the_gate_to_what_is_asked(tmp_path: Path) -> None:
    live = [recording.LiveRun(10, 1, {"heartbeat": "SLOWER", "registry": "SAME"}, 20, 60.0)]
    shares = {
        0: resample.Share(100, 0, 1, 3, 11.0),
        5: resample.Share(100, 70, 1, 3, 20.0),
        10: resample.Share(100, 94, 0, 3, 12.0),
    }
    record = table.quality(PLAN, recorded(), live, shares, "record")
    rows = {row[0]: dict(zip(record.columns, row, strict=True)) for row in record.rows}
    assert list(rows) == ["nothing", "5 %", "10 %"]
    assert [row["kept"] for row in rows.values()] == ["yes", "yes", "NO"]
    assert rows["5 %"]["as measured"] == "+4.9 %"
    assert rows["10 %"]["live found"] == "1"
    (tmp_path / "record.json").write_bytes(raw.collect([record]))
    (again,) = raw.read(tmp_path / "record.json")
    assert getattr(again, "rows", None) == record.rows


@pytest.mark.parametrize(
    ("percent", "found", "alarms", "kept"),
    [
        (0, 0, 20, True),
        (0, 1, 20, False),
        (5, 499, 0, False),
        (10, 950, 20, True),
        (20, 999, 0, False),
        (3, 0, 0, True),
    ],
)
def test_what_is_asked(percent: int, found: int, alarms: int, kept: bool) -> None:
    assert table.kept(percent, resample.Share(1_000, found, alarms, 0, 10.0)) is kept


def test_a_folder_without_rounds_has_no_report(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "no rounds" in result.output


def test_the_names_of_benchmarks_have_the_planted_one() -> None:
    assert plant.BENCHMARK in case.names()
