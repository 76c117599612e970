"""Results folders are written once, whole or not at all, and rebuilt from their record alone."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import orjson
import pytest

from laura_fast.report import folder, index
from tests.unit.report import runs

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.report.raw import Run


def create(results: Path, name: str = "first", what: list[Run] | None = None) -> Path:
    return folder.create(results, name, date="2026-01-02", commit="0123456789ab", runs=what or [runs.load()])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of every kind of run."""
    return create(tmp_path_factory.mktemp("results"), "full", runs.every())


def test_folder_has_record_and_report(full: Path) -> None:
    names = {path.name for path in full.iterdir()}
    assert names >= {"raw.json", "env.json", "params.toml", "summary.md", "index.html", "heartbeats-per-core.png"}
    assert full.name == "2026-01-02-0123456789ab-full"


def test_page_fetches_nothing_and_caveats_come_first(full: Path) -> None:
    page = (full / "index.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*["']""", page)
    assert "@import" not in page
    assert page.index("Caveats first") < page.index("<figure")


def test_ids_of_the_page_are_unique(full: Path) -> None:
    ids = re.findall(r'\sid="([^"]+)"', (full / "index.html").read_text())
    assert len(ids) == len(set(ids))


def test_drawings_are_well_formed(full: Path) -> None:
    drawings = re.findall(r"<svg.*?</svg>", (full / "index.html").read_text(), re.DOTALL)
    assert len(drawings) == 11
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - written a moment ago


def test_summary_links_every_plot_that_exists(full: Path) -> None:
    linked = set(re.findall(r"\]\((\S+\.png)\)", (full / "summary.md").read_text()))
    assert linked == {path.name for path in full.glob("*.png")}


def test_summary_tells_failures_and_commands(full: Path) -> None:
    summary = (full / "summary.md").read_text()
    assert summary.index("Caveats first") < summary.index("In short")
    assert "The load scenario mixed failed: too slow" in summary
    assert "grpc-rust did not run: no cargo here" in summary
    assert "python -m bench.rivals --rounds 5" in summary


def test_parameters_are_toml(full: Path) -> None:
    parameters = tomllib.loads((full / "params.toml").read_text())
    assert [run["kind"] for run in parameters["run"]] == [
        "bench.rivals",
        "bench.transport",
        "bench.scaling",
        "load",
        "load",
        "micro",
    ]
    assert parameters["run"][0]["command"] == ["--rounds", "5"]


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    before = (create(tmp_path) / "raw.json").read_bytes()
    with pytest.raises(folder.ResultsError, match="written once"):
        create(tmp_path, what=[runs.micro()])
    assert (tmp_path / "2026-01-02-0123456789ab-first" / "raw.json").read_bytes() == before
    assert len(folder.history(tmp_path)) == 1


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(folder, "compose", fail)
    with pytest.raises(OSError, match="disk full"):
        create(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Upper", "../escape", "two words", "-dash", "x" * 65])
def test_unfit_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(folder.ResultsError, match="named with"):
        create(tmp_path, name)


def test_rebuilding_gives_the_same_report_and_keeps_the_record(tmp_path: Path) -> None:
    target = create(tmp_path)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    (target / "index.html").unlink()
    (target / "stale.png").write_bytes(b"")
    folder.rebuild(target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before


def test_a_changed_record_is_not_rebuilt(tmp_path: Path) -> None:
    target = create(tmp_path)
    document = orjson.loads((target / "raw.json").read_bytes())
    document["runs"][0]["requests"] = 1
    (target / "raw.json").write_bytes(orjson.dumps(document))
    with pytest.raises(folder.ResultsError, match="was changed"):
        folder.rebuild(target)


def test_a_folder_without_history_is_not_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(folder.ResultsError, match="history"):
        folder.rebuild(tmp_path / "2026-01-02-0123456789ab-other")


def test_two_sessions_of_one_kind_keep_all_their_plots(tmp_path: Path) -> None:
    target = create(tmp_path, "twice", [runs.scaling(), runs.scaling()])
    assert len(list(target.glob("*.png"))) == 6
    ids = re.findall(r'\sid="([^"]+)"', (target / "index.html").read_text())
    assert len(ids) == len(set(ids))


def test_index_lists_newest_first_and_keeps_the_text_around(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"Caveats.\n\n{index.BEGIN}\nold\n{index.END}\n\nThe end.\n")
    create(tmp_path, "one", [runs.load()])
    create(tmp_path, "two", [runs.micro()])
    index.write(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("Caveats.")
    assert text.endswith("The end.\n")
    assert "old" not in text
    assert text.index("-two/index.html") < text.index("-one/index.html")


def test_index_without_its_marks_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Mine.")
    with pytest.raises(folder.ResultsError, match="marks"):
        index.write(tmp_path)


def test_a_dirty_commit_is_told_in_the_title(tmp_path: Path) -> None:
    target = folder.create(tmp_path, "try", date="2026-01-02", commit="0123456789ab-dirty", runs=[runs.load()])
    assert "# Try, 2026-01-02, commit 0123456789ab with changes" in (target / "summary.md").read_text()
