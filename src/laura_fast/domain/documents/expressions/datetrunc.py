"""`$dateTrunc`: the beginning of the bin that holds a date. Bins are counted from the year 2000 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.calendar import DAY_MS, date_of, days_of
from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Part, Scope, arguments, folded
from laura_fast.domain.documents.expressions.timezones import moment_ms, offset_ms
from laura_fast.domain.documents.expressions.units import UNIT_MONTHS, UNIT_MS, checked_date, unit_of, week_day
from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import INT64_MAX, NUMBERS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bson.datetime_ms import DatetimeMS

_DAY_2000: Final = days_of(2000, 1, 1)
_SATURDAY: Final = 5
"""The week day of 2000-01-01, from Monday as 0."""


def date_trunc(name: str, spec: Any, scope: Scope) -> Part:
    """Compiles `$dateTrunc`."""
    given = arguments(name, spec, frozenset({"date", "unit"}), frozenset({"binSize", "timezone", "startOfWeek"}))
    defaults = {"binSize": 1, "timezone": "UTC", "startOfWeek": "sunday"}
    choices = scope.compile_all([given["unit"], *(given.get(key, value) for key, value in defaults.items())])
    date = scope.compile(given["date"])
    settings = folded(choices, lambda document: _truncation(name, [part.evaluate(document) for part in choices]))
    choose, when = settings.evaluate, date.evaluate

    def evaluate(document: Any) -> DatetimeMS | None:
        value, truncate = when(document), choose(document)
        if is_nullish(value) or truncate is None:
            return None
        return checked_date(name, truncate(moment_ms(name, value)))

    return folded([date, *choices], evaluate)


def _truncation(name: str, settings: list[Any]) -> Callable[[int], int] | None:
    if any(map(is_nullish, settings)):
        return None
    unit, size, zone, start = settings
    bins, offset = _bin_size(name, size), offset_ms(name, zone)
    if unit_of(name, unit) in UNIT_MONTHS:
        return _by_months(bins * UNIT_MONTHS[unit], offset)
    first_day = (week_day(name, start) - _SATURDAY) % 7 if unit == "week" else 0
    return _by_duration(bins * UNIT_MS[unit], (_DAY_2000 + first_day) * DAY_MS - offset)


def _by_duration(length: int, reference: int) -> Callable[[int], int]:
    return lambda time_ms: time_ms - (time_ms - reference) % length


def _by_months(length: int, offset: int) -> Callable[[int], int]:
    def truncate(time_ms: int) -> int:
        year, month, _ = date_of((time_ms + offset) // DAY_MS)
        months = (year - 2000) * 12 + month - 1
        return days_of(2000, 1 + months - months % length, 1) * DAY_MS - offset

    return truncate


def _bin_size(name: str, size: Any) -> int:
    number = to_double(size) if type(size) in NUMBERS else 0.0
    if not number.is_integer() or not 0 < number <= INT64_MAX:
        raise failed(f"{name} takes a binSize that is a whole number above 0, not {type_name(size)} {size!r}")
    return int(number)
