"""Operators of strings. Case and white space are ASCII's for case, Unicode's for trimming, as in MongoDB."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Eager, Part, Scope, arguments, carrying
from laura_fast.domain.documents.expressions.texts import text_of
from laura_fast.domain.documents.expressions.values import failed, is_nullish
from laura_fast.domain.documents.kinds import NUMBERS, type_name
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy


def concatenate(*values: Any) -> str | None:
    """`$concat`: null if any is null or missing."""
    for value in values:
        if is_nullish(value):
            return None
        if type(value) is not str:
            raise failed(f"$concat takes strings, not {type_name(value)}")
    return checked("$concat", "".join(values))


def checked(name: str, text: str) -> str:
    """The text, unless no document could hold it: strings that double must not fill the memory first."""
    if len(text) > limits.MAX_EXPRESSION_STRING:
        raise failed(f"{name} would give more than {limits.MAX_EXPRESSION_STRING} characters")
    return text


def _cased(change: Callable[[bytes], bytes]) -> Callable[[Any], str]:
    def apply(value: Any) -> str:
        return change(_coerced("a change of case", value).encode()).decode()

    return apply


def _coerced(name: str, value: Any) -> str:
    """What MongoDB takes for a string where one is wanted: numbers and dates, too; null and missing are empty."""
    if type(value) is str:
        return value
    if is_nullish(value):
        return ""
    if type(value) in NUMBERS or type(value) is DatetimeMS:
        return text_of(value)
    raise failed(f"{name} takes a string, not {type_name(value)}")


def _string(name: str, value: Any) -> str:
    if type(value) is not str:
        raise failed(f"{name} takes a string, not {type_name(value)}")
    return value


def _count(name: str, value: Any) -> int:
    number = to_double(value) if type(value) in NUMBERS else None
    if number is None or not number.is_integer():
        raise failed(f"{name} takes whole numbers, not {type_name(value)} {value!r}")
    return int(number)


def _substring(value: Any, start: Any, count: Any) -> str:
    text, first, length = _coerced("$substrCP", value), _count("$substrCP", start), _count("$substrCP", count)
    if first < 0 or length < 0:
        raise failed("$substrCP takes a start and a length of at least 0")
    return text[first : first + length]


def _substring_of_bytes(value: Any, start: Any, count: Any) -> str:
    octets, first, length = _coerced("$substrBytes", value).encode(), _count("$substr", start), _count("$substr", count)
    if first < 0:
        return ""
    try:
        return (octets[first:] if length < 0 else octets[first : first + length]).decode()
    except UnicodeDecodeError:
        raise failed("$substrBytes would cut a character in two") from None


def _split(value: Any, delimiter: Any) -> list[str] | None:
    if is_nullish(value) or is_nullish(delimiter):
        return None
    if not _string("$split", delimiter):
        raise failed("$split takes a delimiter that is not empty")
    text = _string("$split", value)
    if text.count(delimiter) >= limits.MAX_EXPRESSION_ARRAY:
        raise failed(f"$split would give more than {limits.MAX_EXPRESSION_ARRAY} elements")
    return text.split(delimiter)


def _index(text: Any, part: Any, start: Any = 0, end: Any = None) -> int | None:
    if is_nullish(text):
        return None
    whole = _string("$indexOfCP", text)
    first = _count("$indexOfCP", start)
    last = len(whole) if end is None else _count("$indexOfCP", end)
    if first < 0 or last < 0:
        raise failed("$indexOfCP takes positions of at least 0")
    return whole.find(_string("$indexOfCP", part), first, last) if first <= last else -1


def _compare_without_case(left: Any, right: Any) -> int:
    one = _coerced("$strcasecmp", left).encode().upper()
    other = _coerced("$strcasecmp", right).encode().upper()
    return (one > other) - (one < other)


def _trimming(trim: Callable[[str, str | None], str]) -> Lazy:
    def compile_trim(name: str, spec: Any, scope: Scope) -> Part:
        given = arguments(name, spec, frozenset({"input"}), frozenset({"chars"}))
        parts = scope.compile_all([given["input"], given.get("chars", _WHITE_SPACE)])
        text, characters = (part.evaluate for part in parts)

        def evaluate(document: Any) -> str | None:
            value, removed = text(document), characters(document)
            if is_nullish(value) or is_nullish(removed):
                return None
            return trim(_string(name, value), _string(name, removed))

        return carrying(parts, evaluate)

    return compile_trim


_WHITE_SPACE: Final = "\0 \t\n\v\f\r\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))
"""What MongoDB trims unless told otherwise."""


def _replacing(count: int) -> Lazy:
    replace = partial(_replaced, count)

    def compile_replace(name: str, spec: Any, scope: Scope) -> Part:
        given = arguments(name, spec, frozenset({"input", "find", "replacement"}))
        parts = scope.compile_all([given["input"], given["find"], given["replacement"]])
        evaluates = [part.evaluate for part in parts]

        def evaluate(document: Any) -> str | None:
            values = [part(document) for part in evaluates]
            texts = [value if is_nullish(value) else _string(name, value) for value in values]
            return None if any(map(is_nullish, texts)) else replace(name, *texts)

        return carrying(parts, evaluate)

    return compile_replace


def _replaced(count: int, name: str, text: str, find: str, replacement: str) -> str:
    times = text.count(find) if count < 0 else 1
    if len(text) + times * (len(replacement) - len(find)) > limits.MAX_EXPRESSION_STRING:
        raise failed(f"{name} would give more than {limits.MAX_EXPRESSION_STRING} characters")
    return text.replace(find, replacement, count)


STRINGS: Final[dict[str, Eager | Lazy]] = {
    "$concat": Eager(concatenate, 0, None, carries=True),
    "$toLower": Eager(_cased(bytes.lower), carries=True),
    "$toUpper": Eager(_cased(bytes.upper), carries=True),
    "$strLenCP": Eager(lambda value: len(_string("$strLenCP", value))),
    "$strLenBytes": Eager(lambda value: len(_string("$strLenBytes", value).encode())),
    "$substrCP": Eager(_substring, 3, 3, carries=True),
    "$substrBytes": Eager(_substring_of_bytes, 3, 3, carries=True),
    "$substr": Eager(_substring_of_bytes, 3, 3, carries=True),
    "$split": Eager(_split, 2, 2, carries=True, levels=1),
    "$indexOfCP": Eager(_index, 2, 4),
    "$strcasecmp": Eager(_compare_without_case, 2, 2),
    "$trim": _trimming(str.strip),
    "$ltrim": _trimming(str.lstrip),
    "$rtrim": _trimming(str.rstrip),
    "$replaceOne": _replacing(1),
    "$replaceAll": _replacing(-1),
}
