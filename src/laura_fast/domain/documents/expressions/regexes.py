"""`$regexMatch`, on RE2 as the patterns of queries are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bson import Regex

from laura_fast.domain.documents.expressions.part import Part, Scope, arguments, folded
from laura_fast.domain.documents.expressions.values import failed, is_nullish, malformed
from laura_fast.domain.documents.kinds import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.expressions.part import Lazy


def _match(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"input", "regex"}), frozenset({"options"}))
    text, regex, options = scope.compile_all([given["input"], given["regex"], given.get("options")])
    if not (regex.constant and options.constant):
        raise malformed(f"{name} takes a regex that is the same for all documents: it is compiled once")
    matches, read = _searcher(name, regex.evaluate(()), options.evaluate(())), text.evaluate

    def evaluate(document: Any) -> bool:
        value = read(document)
        if is_nullish(value):
            return False
        if type(value) is not str:
            raise failed(f"{name} takes a string, not {type_name(value)}")
        return matches(value)

    return folded([text], evaluate)


def _searcher(name: str, regex: Any, options: Any) -> Callable[[str], bool]:
    from laura_fast.domain.documents.filters import patterns  # noqa: PLC0415 - filters know expressions, too

    if is_nullish(regex):
        return lambda _text: False
    if not is_nullish(options) and type(options) is not str:
        raise malformed(f"{name} takes options that are a string, not {type_name(options)}")
    if type(regex) is Regex and not options:
        return patterns.searcher(patterns.pattern_of_value(regex))
    source = regex.pattern if type(regex) is Regex else regex
    if type(source) is not str:
        raise malformed(f"{name} takes a regex, not {type_name(regex)}")
    return patterns.searcher(patterns.pattern_of(source, options or ""))


REGEXES: Final[dict[str, Lazy]] = {"$regexMatch": _match}
