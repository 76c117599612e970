"""Units of time, and days of the week, as operators of dates name them."""

from __future__ import annotations

from typing import Any, Final

from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.calendar import DAY_MS
from laura_fast.domain.documents.expressions.values import failed
from laura_fast.domain.documents.kinds import INT64_MAX, INT64_MIN

UNIT_MS: Final = {
    "millisecond": 1,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
}
UNIT_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_WEEK_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def unit_of(name: str, unit: Any) -> str:
    """The name of a unit, checked: one of `UNIT_MS` or `UNIT_MONTHS`."""
    if type(unit) is str and (unit in UNIT_MS or unit in UNIT_MONTHS):
        return unit
    raise failed(f"{name} knows no unit {unit!r:.40}")


def week_day(name: str, day: Any) -> int:
    """The number of a day of the week, from Monday as 0; three letters are enough."""
    lowered = day.lower() if type(day) is str else ""
    for place, known in enumerate(_WEEK_DAYS):
        if lowered in {known, known[:3]}:
            return place
    raise failed(f"{name} knows no startOfWeek {day!r:.40}")


def checked_date(name: str, time_ms: int) -> DatetimeMS:
    """The date, if there is one so early or late."""
    if not INT64_MIN <= time_ms <= INT64_MAX:
        raise failed(f"{name} would leave the range of dates")
    return DatetimeMS(time_ms)
