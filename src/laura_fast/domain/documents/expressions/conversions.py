"""`$convert`, its short forms `$toInt` and so on, and the questions for a value's type."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bson import Decimal128, Int64, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.calendar import DAY_MS, days_of
from laura_fast.domain.documents.expressions.numbers import DECIMAL_CONTEXT, from_decimal, to_decimal, to_double
from laura_fast.domain.documents.expressions.part import Eager, Part, Scope, arguments, carrying
from laura_fast.domain.documents.expressions.texts import text_of
from laura_fast.domain.documents.expressions.timezones import moment_ms, offset_ms
from laura_fast.domain.documents.expressions.values import failed, is_nullish, is_true, malformed
from laura_fast.domain.documents.kinds import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INTEGERS, NUMBERS, type_name
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy

_INTEGER: Final = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf(inity)?|nan)", re.ASCII | re.IGNORECASE)
_DATE: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def _integer(value: Any, least: int, most: int) -> int:
    if value is True or value is False:
        return int(value)
    if type(value) is str and _INTEGER.fullmatch(value):
        whole = int(value)
    elif type(value) in INTEGERS:
        whole = value
    elif type(value) in NUMBERS and math.isfinite(to_double(value)):
        whole = math.trunc(value) if type(value) is float else int(to_decimal(value))
    else:
        raise _impossible(value)
    if not least <= whole <= most:
        raise _impossible(value)
    return whole


def _to_int(value: Any) -> int:
    return int(_integer(value, INT32_MIN, INT32_MAX))


def _to_long(value: Any) -> Int64:
    return Int64(int(value) if type(value) is DatetimeMS else _integer(value, INT64_MIN, INT64_MAX))


def _to_double(value: Any) -> float:
    if type(value) is str and _DOUBLE.fullmatch(value):
        return float(value)
    if type(value) in NUMBERS or type(value) is bool or type(value) is DatetimeMS:
        number = float(int(value)) if type(value) is DatetimeMS else to_double(value)
        if math.isfinite(number) or type(value) is float or not to_decimal(value).is_finite():
            return number
    raise _impossible(value)


def _to_decimal(value: Any) -> Decimal128:
    if type(value) is Decimal128:
        return value
    if type(value) is str and _DOUBLE.fullmatch(value):
        return from_decimal(DECIMAL_CONTEXT.create_decimal(value))
    if type(value) in NUMBERS or type(value) is bool:
        return from_decimal(to_decimal(value))
    if type(value) is DatetimeMS:
        return from_decimal(Decimal(int(value)))
    raise _impossible(value)


def _to_string(value: Any) -> str:
    if type(value) in NUMBERS or type(value) in {bool, str, DatetimeMS, ObjectId}:
        return text_of(value)
    raise _impossible(value)


def _to_object_id(value: Any) -> ObjectId:
    if type(value) is ObjectId:
        return value
    if type(value) is str and re.fullmatch(r"[0-9a-fA-F]{24}", value):
        return ObjectId(value)
    raise _impossible(value)


def _to_date(value: Any) -> DatetimeMS:
    if type(value) in {DatetimeMS, Timestamp, ObjectId}:
        return DatetimeMS(moment_ms("$toDate", value))
    if type(value) in {Int64, float, Decimal128}:
        return DatetimeMS(int(_integer(value, INT64_MIN, INT64_MAX)))
    if type(value) is str and (found := _DATE.fullmatch(value)):
        return _written_date(found)
    raise _impossible(value)


def _written_date(found: re.Match[str]) -> DatetimeMS:
    year, month, day, hour, minute, second = (int(found[place] or 0) for place in range(1, 7))
    days = days_of(year, month, day)
    in_month = 1 <= month <= 12 and day >= 1 and days < days_of(year, month + 1, 1)  # noqa: PLR2004 - a calendar
    if not in_month or hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - and a clock
        raise _impossible(found[0])
    within = ((hour * 60 + minute) * 60 + second) * 1000 + int((found[7] or "0").ljust(3, "0")[:3])
    return DatetimeMS(days * DAY_MS + within - offset_ms("$toDate", found[8] or "Z"))


def _impossible(value: Any) -> InvalidArgumentError:
    shown = f" {value!r:.60}" if type(value) in {str, int, float, Int64} else ""
    return failed(f"{type_name(value)}{shown} can't be converted")


_TARGETS: Final[dict[Any, Callable[[Any], Any]]] = {
    "double": _to_double,
    "string": _to_string,
    "objectId": _to_object_id,
    "bool": is_true,
    "date": _to_date,
    "int": _to_int,
    "long": _to_long,
    "decimal": _to_decimal,
}
_TARGET_NUMBERS: Final = {
    1: "double",
    2: "string",
    7: "objectId",
    8: "bool",
    9: "date",
    16: "int",
    18: "long",
    19: "decimal",
}


def _short(name: str, target: str) -> Eager:
    convert = _TARGETS[target]

    def apply(value: Any) -> Any:
        if is_nullish(value):
            return None
        try:
            return convert(value)
        except InvalidArgumentError as error:
            raise failed(f"{name}: {error.message}") from None

    return Eager(apply, carries=target == "string")


def _convert(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"input", "to"}), frozenset({"onError", "onNull"}))
    main = scope.compile_all([given["input"], given["to"], given.get("onNull")])
    fallback = [scope.compile(given["onError"])] if "onError" in given else []
    value_of, target_of, on_null = (part.evaluate for part in main)

    def evaluate(document: Any) -> Any:
        value, convert = value_of(document), _target(target_of(document))
        if is_nullish(value):
            return on_null(document)
        try:
            return convert(value) if convert else None
        except InvalidArgumentError as error:
            if fallback:
                return fallback[0].evaluate(document)
            raise failed(f"{name}: {error.message}") from None

    return carrying([*main, *fallback], evaluate)


def _date_from_string(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"dateString"}), frozenset({"onError", "onNull"}))
    others = {argument: given[argument] for argument in ("onError", "onNull") if argument in given}
    return _convert(name, {"input": given["dateString"], "to": "date", **others}, scope)


def _target(target: Any) -> Callable[[Any], Any] | None:
    if is_nullish(target):
        return None
    named = _TARGET_NUMBERS.get(target) if type(target) in NUMBERS - {Decimal128} else target
    convert = _TARGETS.get(named) if type(named) is str else None
    if convert is None:
        raise malformed(f"$convert knows no type {target!r}")
    return convert


CONVERSIONS: Final[dict[str, Eager | Lazy]] = {
    "$convert": _convert,
    "$dateFromString": _date_from_string,
    "$toDouble": _short("$toDouble", "double"),
    "$toString": _short("$toString", "string"),
    "$toObjectId": _short("$toObjectId", "objectId"),
    "$toBool": _short("$toBool", "bool"),
    "$toDate": _short("$toDate", "date"),
    "$toInt": _short("$toInt", "int"),
    "$toLong": _short("$toLong", "long"),
    "$toDecimal": _short("$toDecimal", "decimal"),
    "$type": Eager(type_name),
    "$isNumber": Eager(lambda value: type(value) in NUMBERS),
}
