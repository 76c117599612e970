"""Numbers, dates and identifiers as text, as `$toString` writes them."""

from __future__ import annotations

import math
from typing import Any

from bson import Decimal128, ObjectId
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.calendar import Moment


def text_of(value: Any) -> str:
    """The text of a bool, number, date, ObjectId or string."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is float:
        return _double(value)
    if type(value) is DatetimeMS:
        return iso(Moment.at(int(value)))
    if isinstance(value, (int, str, Decimal128, ObjectId)):
        return str(value)
    raise TypeError(type(value))


def iso(moment: Moment) -> str:
    """`2026-11-27T15:50:39.000Z`."""
    return (
        f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
        f"T{moment.hour:02}:{moment.minute:02}:{moment.second:02}.{moment.millisecond:03}Z"
    )


def _double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return format(value, ".0f") if value.is_integer() and abs(value) < 1e17 else repr(value)  # noqa: PLR2004 - repr's own bound is near
