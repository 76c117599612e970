"""Regular expressions: what the planner may know of them, and what they match."""

from __future__ import annotations

import pytest

from laura_fast.domain.documents.filters.patterns import pattern_of, searcher


@pytest.mark.parametrize(
    ("source", "options", "prefix", "exact"),
    [
        ("^abc", "", "abc", True),
        ("^abc", "s", "abc", True),
        ("^abc.*", "", "abc", True),
        (r"\Aab", "", "ab", True),
        (r"^a\.b", "", "a.b", True),
        ("^", "", "", True),
        ("^abc$", "", "abc", False),
        ("^abc.", "", "abc", False),
        ("^abc*", "", "ab", False),
        ("^abc?d", "", "ab", False),
        ("^abc{0,2}", "", "ab", False),
        ("^abc+", "", "abc", False),
        ("^ab[cd]", "", "ab", False),
        (r"^ab\d", "", "ab", False),
        ("^(ab)", "", "", False),
        ("^ab|c", "", "", False),
        ("^ab", "i", "", False),
        ("^ab", "m", "", False),
        ("^ab", "x", "", False),
        ("abc", "", "", False),
        (".*", "", "", False),
    ],
)
def test_prefixes(source: str, options: str, prefix: str, exact: bool) -> None:
    pattern = pattern_of(source, options)
    assert (pattern.prefix, pattern.exact) == (prefix, exact)


@pytest.mark.parametrize(
    ("source", "options", "text", "found"),
    [
        ("b", "", "abc", True),
        ("b", "i", "aBc", True),
        ("É", "i", "é", True),
        ("a.c", "", "a\nc", False),
        ("a.c", "s", "a\nc", True),
        ("^b$", "m", "a\nb\nc", True),
        ("^b$", "", "a\nb\nc", False),
        ("b$", "", "ab\n", True),
        ("b$", "", "ab\n\n", False),
        (r"b\Z", "", "ab\n", True),
        (r"b\z", "", "ab\n", False),
        (r"b\$", "", "ab$", True),
        ("[$]", "", "$", True),
        ("[]$]x", "", "]x", True),
        ("[^]$]x", "", "ax", True),
        ("[[:alpha:]$]x", "", "$x", True),
        (r"\Qa$\E.", "", "a$b", True),
        (r"\Q$", "", "a$", True),
        ("a#b$", "", "a#b\n", True),
        ("a b", "x", "ab", True),
        (r"a\ b", "x", "a b", True),
        ("a[ ]b", "x", "a b", True),
        ("a # until here $\n b", "x", "ab", True),
        ("(?m)a$", "", "a\nb", True),
        ("a|b", "i", "B", True),
        ("é", "", "xéy", True),
        (r"^\d+$", "", "123", True),
        (r"\bcat\b", "", "a cat!", True),
        ("\U0001f600", "", "a\U0001f600", True),
    ],
)
def test_searching(source: str, options: str, text: str, found: bool) -> None:
    assert searcher(pattern_of(source, options))(text) == found
