"""From file, environment and flags to one `Config`, with the source of each value."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from laura_fast.config.model import SETTINGS, Config
from laura_fast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from laura_fast.config.kinds import Value
    from laura_fast.config.model import Row

PREFIX: Final = "LAURA_FAST_"
FILE_VARIABLE: Final = "LAURA_FAST_CONFIG"
"""Names the TOML file, as ``--config`` does."""

_BY_KEY: Final = {row.key: row for row in SETTINGS}
_BY_VARIABLE: Final = {row.variable: row for row in SETTINGS}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and, per attribute, where its value came from."""

    config: Config
    sources: Mapping[str, str]


@dataclass(slots=True)
class _Layers:
    """Values collected so far; a later layer overrides an earlier one."""

    values: dict[str, Value] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def put(self, row: Row, raw: Any, source: str, convert: Callable[[Any], Value]) -> None:
        """Takes one value, or notes why it can't be taken."""
        try:
            self.values[row.attribute] = convert(raw)
        except (ValueError, ArithmeticError):
            self.problems.append(row.problem(raw, source))
        self.sources[row.attribute] = source


def load(flags: Mapping[str, str | bool], environ: Mapping[str, str], file: Path | None = None) -> Loaded:
    """Layers default < file < environment < flag.

    Args:
        flags: Raw values by key, only those that were given.
        environ: The environment; variables without our prefix are ignored.
        file: TOML file; falls back to the variable LAURA_FAST_CONFIG.

    Raises:
        ConfigError: One line per wrong value, unknown key, unknown variable or broken rule.
    """
    layers = _Layers()
    if file is None and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    if file is not None:
        _take_file(layers, file)
    _take_environment(layers, environ)
    _take_flags(layers, flags)
    if layers.problems:
        raise ConfigError("\n".join(layers.problems))
    config = Config(**layers.values)  # type: ignore[arg-type]  # each value was converted by its own field's kind
    return Loaded(config, {row.attribute: layers.sources.get(row.attribute, "default") for row in SETTINGS})


def _take_file(layers: _Layers, file: Path) -> None:
    for key, value in _read(file).items():
        row = _BY_KEY.get(key)
        if row is None:
            layers.problems.append(_unknown(key, f"file {file}", _BY_KEY))
        else:
            layers.put(row, value, f"file {file}", row.kind.from_toml)


def _unknown(name: str, source: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
    return f"{name} ({source}) is not a setting; nearest: {nearest}"


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config = {file}: can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"config = {file}: is not TOML: {error}") from error


def _take_environment(layers: _Layers, environ: Mapping[str, str]) -> None:
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name != FILE_VARIABLE):
        row, text = _BY_VARIABLE.get(variable), environ[variable]
        if row is None:
            layers.problems.append(_unknown(variable, "environment", _BY_VARIABLE))
        else:
            layers.put(row, text, f"environment {variable}", row.kind.from_text)


def _take_flags(layers: _Layers, flags: Mapping[str, str | bool]) -> None:
    for key, raw in flags.items():
        row = _BY_KEY[key]
        text = row.kind.show(raw) if isinstance(raw, bool) else raw
        name = row.key.replace("_", "-")
        source = f"flag --no-{name}" if raw is False else f"flag --{name}"
        layers.put(row, text, source, row.kind.from_text)
