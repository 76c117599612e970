"""The accept file: slowdowns that were wanted, each with its bound, reason and the commit it is measured against."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from bench.compare.errors import MeasureError

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE: Final = Path(__file__).with_name("accepted.toml")


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted slowdown.

    Attributes:
        benchmark: Its name; for a count `name: count`.
        percent: At most so much slower, or more.
        reason: For the reviewer.
        commit: The base that it was measured against, at least seven digits. With another base it means nothing.
    """

    benchmark: Annotated[str, msgspec.Meta(min_length=1)]
    percent: Annotated[float, msgspec.Meta(gt=0)]
    reason: Annotated[str, msgspec.Meta(min_length=10)]
    commit: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{7,40}$")]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accepted: list[Accepted] = []


def read(path: Path = FILE) -> list[Accepted]:
    """All entries.

    Raises:
        MeasureError: The file is not what it should be.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).accepted
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MeasureError(f"{path.name}: {error}") from error


def reason_for(entries: Sequence[Accepted], benchmark: str, ratio: float, base: str) -> str:
    """Why this slowdown is accepted; empty if it isn't.

    Args:
        entries: Of the file.
        benchmark: As entries name it.
        ratio: New over old.
        base: Full hash of the commit that was compared with.
    """
    for entry in entries:
        if entry.benchmark == benchmark and base.startswith(entry.commit) and ratio <= 1 + entry.percent / 100:
            return entry.reason
    return ""
