"""Regular expressions on RE2: linear in time whatever the pattern, with PCRE's syntax as far as RE2 has it.

What RE2 can't do (look-around, back-references) is refused. Two things that PCRE does otherwise are translated: `$`
also matches before a final newline, and the option `x` ignores white space and comments. Not translated: a pattern
that goes on after such a `$` with something that could take the newline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import re2

from laura_fast.domain.documents.filters.faults import fault
from laura_fast.domain.documents.filters.tree import Pattern
from laura_fast.domain.documents.keys import regex_options
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from bson.regex import Regex

_OPTIONS: Final = frozenset("imsx")
_META: Final = frozenset("\\^$.|?*+()[]{}")
_QUANTIFIERS: Final = frozenset("?*+{")
_TURNS_MULTILINE: Final = re.compile(r"\(\?[a-zA-Z]*m")
_BEFORE_END: Final = r"(?:\n?\z)"
_TOKENS: Final = r"""
    (?P<quoted> \\Q .*? (?: \\E | \Z ) )
  | (?P<end> \\Z )
  | (?P<escaped> \\ . )
  | (?P<set> \[ \^? \]? (?: \\. | \[: \w* :\] | [^\]\\] )* \]? )
  | (?P<dollar> \$ )
"""
_PLAIN: Final = re.compile(_TOKENS + "| (?P<other> . )", re.VERBOSE | re.DOTALL)
_EXTENDED: Final = re.compile(_TOKENS + r"| (?P<ignored> \s | \# [^\n]* ) | (?P<other> . )", re.VERBOSE | re.DOTALL)
"""One token of a pattern, as far as `_translate` must tell them apart. No alternative can fail after a long look."""


def pattern_of(source: str, options: str) -> Pattern:
    """A pattern, checked, with what every match begins with.

    Raises:
        InvalidArgumentError: FILTER_INVALID, naming `$regex` or `$options`: too long, a zero byte, an unknown option,
            or what RE2 can't do.
    """
    if unknown := set(options) - _OPTIONS:
        raise fault("$options", f"has {min(unknown)!r}, which is none of i, m, s, x")
    if len(source.encode(errors="replace")) > limits.MAX_PATTERN_BYTES:
        raise fault("$regex", f"is longer than {limits.MAX_PATTERN_BYTES:,} bytes")
    if "\0" in source:
        raise fault("$regex", "has a zero byte")
    pattern = Pattern(source, "".join(sorted(set(options))), *_prefix(source, options))
    searcher(pattern)
    return pattern


def pattern_of_value(value: Regex[str]) -> Pattern:
    """The pattern that a regex value is when a query has it where a value could be.

    Raises:
        InvalidArgumentError: As `pattern_of`.
    """
    return pattern_of(value.pattern, regex_options(value))


def searcher(pattern: Pattern) -> Callable[[str], bool]:
    """Whether a string has a match anywhere. Prefixes and plain text need no automaton (`bench/test_documents.py`)."""
    source, prefix = pattern.source, pattern.prefix
    if pattern.exact:
        return lambda text: text.startswith(prefix)
    if _is_plain(pattern):
        return lambda text: source in text
    search = _compiled(source, pattern.options).search
    return lambda text: search(text.encode()) is not None


def contained_text(pattern: Pattern) -> str:
    """A text that every match contains, and the pattern's own source too; empty where none is known."""
    if _is_plain(pattern):
        return pattern.source
    return "" if "\\" in pattern.source else pattern.prefix


def _is_plain(pattern: Pattern) -> bool:
    return not _META.intersection(pattern.source) and not set("ix").intersection(pattern.options)


def _compiled(source: str, options: str) -> Any:
    settings = re2.Options()
    settings.never_capture = True
    settings.log_errors = False
    settings.max_mem = limits.PATTERN_MEMORY_BYTES
    flags = "".join(option for option in options if option != "x")
    translated = (f"(?{flags})" if flags else "") + _translate(source, options)
    try:
        return re2.compile(translated.encode(), settings)
    except (re2.error, UnicodeEncodeError) as error:
        raise fault("$regex", f"can't be compiled by RE2: {_text(error)}") from error


def _text(error: Exception) -> str:
    said = error.args[0]
    return said.decode(errors="replace") if isinstance(said, bytes) else str(error)


def _translate(source: str, options: str) -> str:
    replaced = {"end": _BEFORE_END, "ignored": ""}
    if "m" not in options and not _TURNS_MULTILINE.search(source):
        replaced["dollar"] = _BEFORE_END
    tokens = (_EXTENDED if "x" in options else _PLAIN).finditer(source)
    return "".join(replaced.get(token.lastgroup or "", token[0]) for token in tokens)


def _prefix(source: str, options: str) -> tuple[str, bool]:
    """What every match begins with, and whether that is all: the literal characters behind a leading `^`."""
    anchor = 1 if source.startswith("^") else 2 if source.startswith("\\A") else 0
    if not anchor or "|" in source or set(options) & set("imx"):
        return "", False
    literals, rest = _literals(source[anchor:])
    if rest[:1] in _QUANTIFIERS and rest[:1] != "+":
        return "".join(literals[:-1]), False
    return "".join(literals), rest in {"", ".*"}


def _literals(source: str) -> tuple[list[str], str]:
    found: list[str] = []
    at = 0
    while at < len(source):
        character = source[at]
        if character == "\\" and source[at + 1 : at + 2] and not source[at + 1].isalnum():
            character = source[at + 1]
            at += 1
        elif character in _META:
            break
        found.append(character)
        at += 1
    return found, source[at:]
