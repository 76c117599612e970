"""`$dateAdd`, `$dateSubtract`, `$dateDiff` and `$dateFromParts`.

Differences count the boundaries of a unit between two dates: from 23:59 to 00:01 it is a day.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bson import Int64

from laura_fast.domain.documents.expressions.calendar import DAY_MS, Moment, date_of, days_of
from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Part, Scope, arguments, folded
from laura_fast.domain.documents.expressions.timezones import moment_ms, offset_ms
from laura_fast.domain.documents.expressions.units import UNIT_MONTHS, UNIT_MS, checked_date, unit_of, week_day
from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import INT32_MAX, INT64_MAX, NUMBERS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bson.datetime_ms import DatetimeMS

    from laura_fast.domain.documents.expressions.part import Lazy

_THURSDAY: Final = 3
"""The week day of 1970-01-01, from Monday as 0."""


def _all_or_null(parts: list[Part], apply: Callable[[list[Any]], Any]) -> Part:
    """A function of the parts' values; null as soon as one is null or missing."""
    evaluates = [part.evaluate for part in parts]

    def evaluate(document: Any) -> Any:
        values = [part(document) for part in evaluates]
        return None if any(map(is_nullish, values)) else apply(values)

    return folded(parts, evaluate)


def _shift(sign: int) -> Lazy:
    def compile_shift(name: str, spec: Any, scope: Scope) -> Part:
        given = arguments(name, spec, frozenset({"startDate", "unit", "amount"}), frozenset({"timezone"}))
        specs = [given["startDate"], given["unit"], given["amount"], given.get("timezone", "UTC")]
        return _all_or_null(scope.compile_all(specs), partial(_shifted, name, sign))

    return compile_shift


def _shifted(name: str, sign: int, values: list[Any]) -> DatetimeMS:
    start, unit, amount, zone = values
    time_ms, offset = moment_ms(name, start), offset_ms(name, zone)
    steps = sign * _whole(name, "amount", amount, INT64_MAX)
    if unit_of(name, unit) in UNIT_MS:
        return checked_date(name, time_ms + steps * UNIT_MS[unit])
    days, within = divmod(time_ms + offset, DAY_MS)
    year, month, day = date_of(days)
    month += steps * UNIT_MONTHS[unit]
    length = days_of(year, month + 1, 1) - days_of(year, month, 1)
    return checked_date(name, days_of(year, month, min(day, length)) * DAY_MS + within - offset)


def _diff(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"startDate", "endDate", "unit"}), frozenset({"timezone", "startOfWeek"}))
    specs = [given["startDate"], given["endDate"], given["unit"]]
    specs += [given.get("timezone", "UTC"), given.get("startOfWeek", "sunday")]
    return _all_or_null(scope.compile_all(specs), partial(_difference, name))


def _difference(name: str, values: list[Any]) -> Int64:
    start, end, unit, zone, first_day = values
    offset = offset_ms(name, zone)
    count = partial(_unit_number, name, unit, first_day)
    return Int64(count(moment_ms(name, end) + offset) - count(moment_ms(name, start) + offset))


def _unit_number(name: str, unit: Any, first_day: Any, local_ms: int) -> int:
    """Which one a unit is, counted from any fixed one."""
    if unit == "week":
        return (local_ms // DAY_MS + _THURSDAY - week_day(name, first_day)) // 7
    if unit_of(name, unit) in UNIT_MS:
        return local_ms // UNIT_MS[unit]
    year, month, _ = date_of(local_ms // DAY_MS)
    return (year * 12 + month - 1) // UNIT_MONTHS[unit]


_PARTS: Final = ("year", "month", "day", "hour", "minute", "second", "millisecond")
_DEFAULTS: Final = (1970, 1, 1, 0, 0, 0, 0)


def _from_parts(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"year"}), frozenset({*_PARTS[1:], "timezone"}))
    specs = [given.get(part, default) for part, default in zip(_PARTS, _DEFAULTS, strict=True)]
    return _all_or_null(scope.compile_all([given.get("timezone", "UTC"), *specs]), partial(_assembled, name))


def _assembled(name: str, values: list[Any]) -> DatetimeMS:
    zone, *given = values
    parts = [_whole(name, part, value, INT32_MAX) for part, value in zip(_PARTS, given, strict=True)]
    year, month, day, hour, minute, second, millisecond = parts
    if not 1 <= year <= 9999:  # noqa: PLR2004 - MongoDB's range
        raise failed(f"{name} takes a year from 1 to 9999, not {year}")
    within = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
    return checked_date(name, days_of(year, month, day) * DAY_MS + within - offset_ms(name, zone))


def _to_parts(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"date"}), frozenset({"timezone"}))
    return _all_or_null(scope.compile_all([given["date"], given.get("timezone", "UTC")]), partial(_taken_apart, name))


def _taken_apart(name: str, values: list[Any]) -> dict[str, int]:
    date, zone = values
    moment = Moment.at(moment_ms(name, date) + offset_ms(name, zone))
    return dict(zip(_PARTS, moment, strict=False))


def _whole(name: str, argument: str, value: Any, most: int) -> int:
    number = to_double(value) if type(value) in NUMBERS else 0.5
    if not number.is_integer() or abs(number) > most:
        raise failed(f"{name} takes a whole number for {argument}, not {type_name(value)} {value!r:.40}")
    return int(number)


DATE_MATH: Final[dict[str, Lazy]] = {
    "$dateAdd": _shift(1),
    "$dateSubtract": _shift(-1),
    "$dateDiff": _diff,
    "$dateFromParts": _from_parts,
    "$dateToParts": _to_parts,
}
