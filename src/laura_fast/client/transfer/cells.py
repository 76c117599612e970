"""Cells of a CSV file as BSON values: by a declared type, or by what they look like."""

from __future__ import annotations

import datetime as dt
import re
from decimal import InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import bson
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

from laura_fast.client.documents.extended_json import parse_value
from laura_fast.errors import ConfigError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DOUBLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")
_BOOLEANS: Final = {"true": True, "false": False}
_INT64: Final = range(-(2**63), 2**63)
EVERY_COLUMN: Final = "*"


def inferred(cell: str) -> Any:
    """The value that a cell of no declared type looks like.

    A whole number without leading zeroes is an integer while it fits in 64 bits, one with a point or an exponent is a
    double, ``true`` and ``false`` are booleans. Everything else is text: also dates, and digits that are not numbers
    such as 007 and account numbers of twenty digits.
    """
    if _INTEGER.fullmatch(cell) and int(cell) in _INT64:
        return int(cell)
    if _DOUBLE.fullmatch(cell):
        return float(cell)
    return _BOOLEANS.get(cell, cell)


def parse_types(written: str) -> dict[str, str]:
    """Reads ``name=int,born=date``; ``*`` stands for every column that is not named.

    Raises:
        ConfigError: Not of this form, a column twice, or an unknown type.
    """
    types: dict[str, str] = {}
    for part in filter(None, written.split(",")):
        column, separator, kind = part.rpartition("=")
        if not separator or kind not in CONVERTERS:
            raise ConfigError(f"column type {part!r}: write column=type; types: {', '.join(sorted(CONVERTERS))}")
        if column in types:
            raise ConfigError(f"column {column!r} is given two types")
        types[column] = kind
    return types


def converter(kind: str) -> Callable[[str], Any]:
    """What makes a value of a cell that is not empty.

    The function raises `InvalidArgumentError` for a cell that is not of the type.
    """
    convert = CONVERTERS[kind]

    def checked(cell: str) -> Any:
        try:
            return convert(cell)
        except (ValueError, InvalidOperation, BSONError, KeyError, OverflowError, InvalidArgumentError) as error:
            raise InvalidArgumentError(f"{cell!r} is not of type {kind}", "MALFORMED_CELL") from error

    return checked


def _integer(cell: str) -> int:
    value = int(cell)
    if value not in _INT64:
        raise OverflowError
    return value


def _long(cell: str) -> bson.Int64:
    return bson.Int64(_integer(cell))


def _boolean(cell: str) -> bool:
    return {**_BOOLEANS, "1": True, "0": False}[cell.lower()]


def _date(cell: str) -> DatetimeMS:
    moment = dt.datetime.fromisoformat(cell)
    return DatetimeMS(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))


CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {
    "auto": inferred,
    "bool": _boolean,
    "date": _date,
    "decimal": bson.Decimal128,
    "double": float,
    "int": _integer,
    "json": parse_value,
    "long": _long,
    "objectid": bson.ObjectId,
    "string": str,
}
"""Types that a column may be declared to have. Dates are of ISO 8601 and in UTC where they name no offset."""
