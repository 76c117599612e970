"""Parts of dates, and `$dateToString`. Dates are UTC; a time zone is "UTC" or a fixed offset such as "+05:30"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.calendar import Moment
from laura_fast.domain.documents.expressions.datemath import DATE_MATH
from laura_fast.domain.documents.expressions.datetrunc import date_trunc
from laura_fast.domain.documents.expressions.part import Part, Scope, arguments, carrying, folded, operands
from laura_fast.domain.documents.expressions.timezones import moment_ms, offset_ms, offset_text
from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy


def _part_of(read: Callable[[Moment], int]) -> Lazy:
    def compile_part_of(name: str, spec: Any, scope: Scope) -> Part:
        if type(spec) is dict and "date" in spec:
            given = arguments(name, spec, frozenset({"date"}), frozenset({"timezone"}))
        else:
            given = {"date": operands(name, spec, 1, 1)[0]}
        parts = scope.compile_all([given["date"], given.get("timezone", "UTC")])
        date, zone = (part.evaluate for part in parts)

        def evaluate(document: Any) -> int | None:
            value, offset = date(document), zone(document)
            if is_nullish(value) or is_nullish(offset):
                return None
            return read(Moment.at(moment_ms(name, value) + offset_ms(name, offset)))

        return folded(parts, evaluate)

    return compile_part_of


_DEFAULT_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%LZ"
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIRECTIVES: Final[dict[str, Callable[[Moment], str]]] = {
    "Y": lambda moment: f"{moment.year:04}",
    "m": lambda moment: f"{moment.month:02}",
    "d": lambda moment: f"{moment.day:02}",
    "H": lambda moment: f"{moment.hour:02}",
    "M": lambda moment: f"{moment.minute:02}",
    "S": lambda moment: f"{moment.second:02}",
    "L": lambda moment: f"{moment.millisecond:03}",
    "j": lambda moment: f"{moment.day_of_year:03}",
    "w": lambda moment: str(moment.iso_day_of_week % 7 + 1),
    "u": lambda moment: str(moment.iso_day_of_week),
    "U": lambda moment: f"{moment.week:02}",
    "V": lambda moment: f"{moment.iso_week_date[1]:02}",
    "G": lambda moment: f"{moment.iso_week_date[0]:04}",
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "%": lambda _: "%",
}


def _to_string(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"date"}), frozenset({"format", "timezone", "onNull"}))
    names = (given["date"], given.get("format", _DEFAULT_FORMAT), given.get("timezone", "UTC"), given.get("onNull"))
    parts = scope.compile_all(names)
    date, form, zone, on_null = (part.evaluate for part in parts)

    def evaluate(document: Any) -> Any:
        value, pattern, offset = date(document), form(document), zone(document)
        if is_nullish(value):
            return on_null(document)
        if is_nullish(pattern) or is_nullish(offset):
            return None
        return _formatted(name, moment_ms(name, value), pattern, offset_ms(name, offset))

    return carrying(parts, evaluate)


def _formatted(name: str, time_ms: int, pattern: Any, offset: int) -> str:
    if type(pattern) is not str:
        raise failed(f"{name} takes a format that is a string, not {type_name(pattern)}")
    moment = Moment.at(time_ms + offset)

    def write(found: re.Match[str]) -> str:
        directive = found[1]
        if directive in {"z", "Z"}:
            return offset_text(offset) if directive == "z" else str(offset // 60_000)
        if directive not in _DIRECTIVES:
            raise failed(f"{name} knows no %{directive} in a format")
        return _DIRECTIVES[directive](moment)

    return _DIRECTIVE.sub(write, pattern)


DATES: Final[dict[str, Lazy]] = {
    "$year": _part_of(lambda moment: moment.year),
    "$month": _part_of(lambda moment: moment.month),
    "$dayOfMonth": _part_of(lambda moment: moment.day),
    "$hour": _part_of(lambda moment: moment.hour),
    "$minute": _part_of(lambda moment: moment.minute),
    "$second": _part_of(lambda moment: moment.second),
    "$millisecond": _part_of(lambda moment: moment.millisecond),
    "$dayOfYear": _part_of(lambda moment: moment.day_of_year),
    "$dayOfWeek": _part_of(lambda moment: moment.iso_day_of_week % 7 + 1),
    "$week": _part_of(lambda moment: moment.week),
    "$isoDayOfWeek": _part_of(lambda moment: moment.iso_day_of_week),
    "$isoWeek": _part_of(lambda moment: moment.iso_week_date[1]),
    "$isoWeekYear": _part_of(lambda moment: moment.iso_week_date[0]),
    "$dateToString": _to_string,
    "$dateTrunc": date_trunc,
    **DATE_MATH,
}
