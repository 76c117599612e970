"""MongoDB Extended JSON v2: how documents are written by people and in files.

Reading takes both forms, and JSON as it is. Writing is relaxed (numbers and dates as people write them; int64 and int32
look alike) or canonical (every type is kept). The rules are those of `bson.json_util`, with exceptions that keep a text
from meaning something else than what was written: a name that occurs twice is an error, ``$regex`` stays the operator
that it is, together with what stands beside it, and a reference (``$ref``) stays a document with its fields in order.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions

from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RELAXED: Final = JSONOptions(json_mode=JSONMode.RELAXED, datetime_conversion=DatetimeConversion.DATETIME_MS)
_CANONICAL: Final = JSONOptions(json_mode=JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS)
_LEGACY_REGEX: Final = {"$regex", "$options"}
"""How version 1 of the format wrote a regular expression that is a value: with both, and nothing else."""

REASON: Final = "MALFORMED_JSON"


def parse(text: str | bytes) -> dict[str, Any]:
    """A document that is data.

    Raises:
        InvalidArgumentError: Not JSON, not an object, or a value that is not of the type it says.
    """
    return _object(_decoded(_as_text(text), _DATA))


def parse_query(text: str) -> dict[str, Any]:
    """A document of operators: a filter, a projection, an update, a stage.

    Raises:
        InvalidArgumentError: As `parse`.
    """
    return _object(_decoded(text, _QUERY))


def parse_pipeline(text: str) -> list[dict[str, Any]]:
    """A list of stages; a single stage may stand without its brackets.

    Raises:
        InvalidArgumentError: As `parse`, for each stage.
    """
    value = _decoded(text, _QUERY)
    return [_object(stage) for stage in (value if isinstance(value, list) else [value])]


def parse_value(text: str) -> Any:
    """Any value that is data.

    Raises:
        InvalidArgumentError: Not JSON, or not of the type it says.
    """
    return _decoded(text, _DATA)


def parse_value_at(text: str, begin: int) -> tuple[Any, int]:
    """The value of data that begins at `begin`, and where it ends; what follows it is not looked at.

    Raises:
        InvalidArgumentError: As `parse`; or the text ends within it.
    """
    try:
        return _DATA.raw_decode(text, begin)
    except _FAILURES as error:
        raise InvalidArgumentError(_reason(error), REASON) from error


def dump(document: Mapping[str, Any] | Any, *, canonical: bool = False) -> str:
    """One line of JSON, readable: characters outside of ASCII stay what they are."""
    return json_util.dumps(document, json_options=_CANONICAL if canonical else _RELAXED, ensure_ascii=False)


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except _FAILURES as error:
        raise InvalidArgumentError(_reason(error), REASON) from error


def _as_text(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"byte {error.start + 1} is not UTF-8", REASON) from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidArgumentError(f"{_KINDS.get(type(value), 'a value')} where a document is needed", REASON)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"not JSON at {line}column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} occurs twice in one document")
    return document


def _data_hook(pairs: list[tuple[str, Any]]) -> Any:
    document = _unique(pairs)
    if "$ref" in document or ("$regex" in document and document.keys() != _LEGACY_REGEX):
        return document
    return json_util.object_hook(document, _RELAXED)


def _query_hook(pairs: list[tuple[str, Any]]) -> Any:
    document = _unique(pairs)
    return document if "$regex" in document or "$ref" in document else json_util.object_hook(document, _RELAXED)


_FAILURES: Final = (ValueError, TypeError, BSONError, OverflowError, RecursionError)
"""What the decoders of JSON and of the types within raise."""
_DATA: Final = json.JSONDecoder(object_pairs_hook=_data_hook)
_QUERY: Final = json.JSONDecoder(object_pairs_hook=_query_hook)
_KINDS: Final = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
