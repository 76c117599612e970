"""The table of settings in the forms that people and tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.config.model import SETTINGS

if TYPE_CHECKING:
    from laura_fast.config.kinds import Value
    from laura_fast.config.loading import Loaded
    from laura_fast.config.model import Row


def as_toml(loaded: Loaded) -> str:
    """A complete TOML file of the values in use; each line ends with the source of its value."""
    lines = [f"{row.key} = {row.written(getattr(loaded.config, row.attribute))}" for row in SETTINGS]
    width = max(map(len, lines))
    return "\n".join(
        f"{line:<{width}}  # {loaded.sources[row.attribute]}" for row, line in zip(SETTINGS, lines, strict=True)
    )


def as_markdown() -> str:
    """The README's table."""
    lines = ["| key | flag | default | allowed | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{row.key}` | `{row.flag}` | {row.default_text} | {row.kind.allowed} | {row.description} |"
        for row in SETTINGS
    ]
    return "\n".join(lines)


def as_json_schema() -> dict[str, object]:
    """JSON schema of the TOML file."""
    properties = {
        row.key: {**row.kind.schema(), "default": _written(row), "description": row.description} for row in SETTINGS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "laura_fast server settings",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _written(row: Row) -> Value:
    return row.kind.show(row.default) if str in row.kind.toml_types else row.default
