"""Flags of the settings table, for commands that take a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from laura_fast.config import SETTINGS, Loaded, Row, load
from laura_fast.config.kinds import Boolean

if TYPE_CHECKING:
    from collections.abc import Callable


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--config`` and one flag per setting. Values stay text: the table converts and judges them."""
    for row in reversed(SETTINGS):
        command = _option(row)(command)
    return click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file of settings.")(
        command
    )


def _option(row: Row) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name = row.key.replace("_", "-")
    text = f"{row.description} [default: {row.default_text}]"
    if isinstance(row.kind, Boolean):
        return click.option(f"--{name}/--no-{name}", row.key, default=None, help=text)
    return click.option(f"--{name}", row.key, metavar="VALUE", help=f"{text} [{row.kind.allowed}]")


def load_settings(config_file: Path | None, flags: dict[str, str | bool | None]) -> Loaded:
    """The configuration of this process: file, environment and the flags that were given."""
    given = {key: value for key, value in flags.items() if value is not None}
    return load(given, os.environ, config_file)
