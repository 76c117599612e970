"""What is printed can be read again, and covers every setting."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.config import SETTINGS, Config, Row, load
from laura_fast.config.kinds import Duration, Size
from laura_fast.config.rendering import as_json_schema, as_markdown, as_toml


def test_printed_values_are_a_file_that_loads_to_the_same(tmp_path: Path) -> None:
    loaded = load({"port": "0", "data_dir": 'a "b" \\ c', "reflection": False, "grace": "1.5s"}, {})
    file = tmp_path / "laura.toml"
    file.write_text(as_toml(loaded))
    assert load({}, {}, file).config == loaded.config


def test_each_printed_line_names_its_source() -> None:
    lines = as_toml(load({"reflection": False}, {"LAURA_FAST_PORT": "1"})).splitlines()
    sources = {line.split(" = ")[0]: line.rsplit("# ", 1)[1] for line in lines}
    assert set(sources) == {row.key for row in SETTINGS}
    assert (sources["port"], sources["reflection"], sources["host"]) == (
        "environment LAURA_FAST_PORT",
        "flag --no-reflection",
        "default",
    )


def test_the_table_has_a_row_per_setting() -> None:
    assert len(as_markdown().splitlines()) == 2 + len(SETTINGS)


def test_the_schema_covers_every_key_with_its_default() -> None:
    schema: dict[str, Any] = json.loads(json.dumps(as_json_schema()))
    assert set(schema["properties"]) == {row.key for row in SETTINGS}
    assert schema["additionalProperties"] is False
    defaults = "\n".join(f"{key} = {json.dumps(entry['default'])}" for key, entry in schema["properties"].items())
    assert {row.kind.from_toml(tomllib.loads(defaults)[row.key]) for row in SETTINGS} == {
        row.default for row in SETTINGS
    }


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_a_default_is_allowed(row: Row) -> None:
    assert row.kind.contains(getattr(Config(), row.attribute))


@given(st.integers(0, 1 << 40))
def test_durations_and_sizes_are_shown_as_they_are_read(count: int) -> None:
    for kind in (Duration(0, 1 << 40), Size(0, 1 << 40)):
        assert kind.from_text(kind.show(count)) == count


def test_the_readme_has_the_table() -> None:
    """`python -m laura_fast config --markdown` writes what belongs between the two marks."""
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- settings: python -m laura_fast config --markdown -->\n")[1]
    assert shown.split("\n<!-- end of settings -->")[0] == as_markdown()
