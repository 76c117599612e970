"""BSON values as short text for people: types that read well lose their wrapping, nested values become one line."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, Final

import bson
from bson import json_util
from bson.datetime_ms import DatetimeMS
from bson.errors import InvalidBSON

from laura_fast.client.documents.extended_json import dump

_UUID_SUBTYPE: Final = 4
_UUID_BYTES: Final = 16


@singledispatch
def plain(value: Any) -> str:
    """``42``, ``true``, ``2026-11-27T10:00:00Z``, ``507f1f77bcf86cd799439011``, ``{"a": 1}``; text stays as it is."""
    return dump(value)


@plain.register(type(None))
def _null(_: None) -> str:
    return "null"


@plain.register(bool)
def _boolean(value: bool) -> str:
    return "true" if value else "false"


@plain.register(int)
@plain.register(str)
@plain.register(float)
@plain.register(bson.ObjectId)
@plain.register(bson.Decimal128)
def _as_it_is(value: Any) -> str:
    return str(value)


@plain.register(bson.Code)
def _code(value: bson.Code) -> str:
    return dump(value)


@plain.register(DatetimeMS)
def _moment(value: DatetimeMS) -> str:
    """ISO 8601 in UTC with as many digits as there are; milliseconds since 1970 for years that a calendar lacks."""
    try:
        moment = value.as_datetime()
    except (InvalidBSON, OverflowError, ValueError):
        return f"{int(value)} ms"
    digits = "milliseconds" if int(value) % 1000 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


@plain.register(bson.Regex)
def _regex(value: bson.Regex[Any]) -> str:
    written = json_util.default(value)["$regularExpression"]
    return f"/{written['pattern']}/{written['options']}"


@plain.register(bson.Timestamp)
def _timestamp(value: bson.Timestamp) -> str:
    return f"{value.time}:{value.inc}"


@plain.register(bytes)
def _binary(value: bytes) -> str:
    subtype = value.subtype if isinstance(value, bson.Binary) else 0
    if subtype == _UUID_SUBTYPE and len(value) == _UUID_BYTES:
        return str(bson.Binary(value, subtype).as_uuid())
    return f"0x{value.hex()} subtype {subtype}" if subtype else f"0x{value.hex()}"


@plain.register(bson.MinKey)
@plain.register(bson.MaxKey)
def _extreme(value: bson.MinKey | bson.MaxKey) -> str:
    return type(value).__name__
