"""Points in time out of values, and offsets from UTC out of time zones."""

from __future__ import annotations

import re
from typing import Any, Final

from bson import ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.values import failed
from laura_fast.domain.documents.kinds import type_name

_OFFSET: Final = re.compile(r"([+-])(\d\d)(?::?(\d\d))?", re.ASCII)
_UTC_NAMES: Final = frozenset({"UTC", "GMT", "Z", "Etc/UTC", "Etc/GMT"})


def moment_ms(name: str, value: Any) -> int:
    """The milliseconds since 1970 of a date, a timestamp or an ObjectId, which carries the time it was made."""
    if type(value) is DatetimeMS:
        return int(value)
    if type(value) is Timestamp:
        return int(value.time) * 1000
    if type(value) is ObjectId:
        return int.from_bytes(value.binary[:4], "big") * 1000
    raise failed(f"{name} takes a date, not {type_name(value)}")


def offset_ms(name: str, zone: Any) -> int:
    """How far a time zone is ahead of UTC.

    Raises:
        InvalidArgumentError: A zone by the name of a place: its rules are no part of this server.
    """
    if zone in _UTC_NAMES if type(zone) is str else False:
        return 0
    found = _OFFSET.fullmatch(zone) if type(zone) is str else None
    if not found:
        raise failed(f'{name} takes the time zone "UTC" or an offset such as "+05:30", not {zone!r}')
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return (-minutes if found[1] == "-" else minutes) * 60_000


def offset_text(offset: int) -> str:
    """An offset as `+0530`."""
    hours, minutes = divmod(abs(offset) // 60_000, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}{minutes:02}"
