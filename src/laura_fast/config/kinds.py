"""Kinds of values: how each is written, which values are allowed, and how it is shown."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

Value = int | str | bool
"""What a setting holds: milliseconds for durations, bytes for sizes."""

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Kind(ABC):
    """One kind of value. `from_text` and `from_toml` raise ValueError for what is not of the kind or out of range."""

    toml_types: ClassVar[tuple[type, ...]] = (str,)

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The allowed values in words, for messages and tables."""

    @abstractmethod
    def contains(self, value: Value) -> bool:
        """Whether a converted value is in range."""

    @abstractmethod
    def schema(self) -> dict[str, object]:
        """JSON schema of the value as it is written in a file."""

    @abstractmethod
    def convert(self, text: str) -> Value:
        """The value that `text` writes, whatever its range."""

    def show(self, value: Value) -> str:
        """The value as an operator would write it."""
        return str(value)

    def from_text(self, text: str) -> Value:
        """The value of a flag or of an environment variable."""
        return self._in_range(self.convert(text.strip()))

    def from_toml(self, value: object) -> Value:
        """The value of a key in a TOML file, where types are strict."""
        if type(value) not in self.toml_types:
            raise ValueError(value)
        if isinstance(value, str):
            return self.from_text(value)
        return self._in_range(value)  # type: ignore[arg-type]  # toml_types are members of Value

    def _in_range(self, value: Value) -> Value:
        if not self.contains(value):
            raise ValueError(value)
        return value


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """A whole number from `low` to `high`."""

    low: int
    high: int
    toml_types: ClassVar[tuple[type, ...]] = (int,)

    @property
    def allowed(self) -> str:
        return f"{self.low} to {self.high}"

    def contains(self, value: Value) -> bool:
        return type(value) is int and self.low <= value <= self.high

    def convert(self, text: str) -> Value:
        return int(text)

    def schema(self) -> dict[str, object]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class PowerOfTwo(Integer):
    """1, 2, 4, … up to `high`."""

    @property
    def allowed(self) -> str:
        return f"a power of two, {self.low} to {self.high}"

    def contains(self, value: Value) -> bool:
        return Integer.contains(self, value) and int(value).bit_count() == 1

    def schema(self) -> dict[str, object]:
        powers = [1 << exponent for exponent in range(self.high.bit_length()) if self.low <= 1 << exponent <= self.high]
        return {"type": "integer", "enum": powers}


class _Quantity(Kind):
    """A number and a unit, held as a whole count of the smallest unit."""

    units: ClassVar[dict[str, int]]
    """From the largest unit to the smallest."""
    example: ClassVar[str]
    low: int
    high: int

    @property
    def allowed(self) -> str:
        return f"{self.show(self.low)} to {self.show(self.high)}, written like {self.example}"

    def contains(self, value: Value) -> bool:
        return type(value) is int and self.low <= value <= self.high

    def convert(self, text: str) -> Value:
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise ValueError(text)
        number, unit = match.groups()
        if unit not in self.units:
            raise ValueError(text)
        count = Decimal(number) * self.units[unit]
        if count != int(count):
            raise ValueError(text)
        return int(count)

    def show(self, value: Value) -> str:
        count = int(value)
        unit = next((unit for unit, size in self.units.items() if count and count % size == 0), None)
        return f"0{next(reversed(self.units))}" if unit is None else f"{count // self.units[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Duration(_Quantity):
    """A time, held in milliseconds. A bare number is refused: nobody agrees on its unit."""

    low: int
    high: int
    units: ClassVar[dict[str, int]] = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    example: ClassVar[str] = "500ms, 1s or 2m"

    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h)$"}


@dataclass(frozen=True, slots=True)
class Size(_Quantity):
    """A number of bytes, bare or with a binary unit."""

    low: int
    high: int
    toml_types: ClassVar[tuple[type, ...]] = (str, int)
    units: ClassVar[dict[str, int]] = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1, "": 1}
    example: ClassVar[str] = "48MiB"

    def schema(self) -> dict[str, object]:
        return {
            "oneOf": [
                {"type": "integer", "minimum": self.low, "maximum": self.high},
                {"type": "string", "pattern": r"^\d+(\.\d+)?(B|KiB|MiB|GiB)?$"},
            ]
        }


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return ", ".join(self.words[:-1]) + f" or {self.words[-1]}"

    def contains(self, value: Value) -> bool:
        return value in self.words

    def convert(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, object]:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Boolean(Kind):
    """Yes or no; on the command line a flag and its negation."""

    toml_types: ClassVar[tuple[type, ...]] = (bool,)

    @property
    def allowed(self) -> str:
        return "true or false"

    def contains(self, value: Value) -> bool:
        return type(value) is bool

    def convert(self, text: str) -> Value:
        if text.lower() not in _TRUTH:
            raise ValueError(text)
        return _TRUTH[text.lower()]

    def show(self, value: Value) -> str:
        return "true" if value else "false"

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """Printable text, `least` to `most` bytes of UTF-8; blanks at its ends are dropped."""

    what: str
    most: int
    least: int = 0

    @property
    def allowed(self) -> str:
        return f"{self.what}, {self.least} to {self.most} bytes" if self.least else f"{self.what}, or nothing"

    def contains(self, value: Value) -> bool:
        return isinstance(value, str) and value.isprintable() and self.least <= len(value.encode()) <= self.most

    def convert(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, object]:
        return {"type": "string", "minLength": self.least, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Address(Kind):
    """``host:port`` or nothing. IPv6 hosts are written in brackets."""

    @property
    def allowed(self) -> str:
        return "host:port with port 0 to 65535, or nothing for off"

    def contains(self, value: Value) -> bool:
        if not isinstance(value, str):
            return False
        host, colon, port = value.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", "\0")
        good_port = port.isascii() and port.isdigit() and int(port) <= 0xFFFF  # noqa: PLR2004  # the largest TCP port
        return not value or (bool(colon and bare) and bare.isprintable() and good_port)

    def convert(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, object]:
        return {"type": "string"}
