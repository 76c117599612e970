"""Operators of strings."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64, Regex
from bson.datetime_ms import DatetimeMS

from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import queries as limits
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

DOCUMENT = {"name": "Ärger", "null": None, "number": 1.5, "list": ["a"]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$concat": []}, ""),
        ({"$concat": ["a", "$name", "b"]}, "aÄrgerb"),
        ({"$concat": ["a", "$gone"]}, None),
        ({"$concat": ["a", None, 1]}, None),
        ({"$toUpper": "$name"}, "ÄRGER"),
        ({"$toLower": "$name"}, "Ärger"),
        ({"$toLower": None}, ""),
        ({"$toUpper": DatetimeMS(0)}, "1970-01-01T00:00:00.000Z"),
        ({"$toLower": "$number"}, "1.5"),
        ({"$strLenCP": "$name"}, 5),
        ({"$strLenBytes": "$name"}, 6),
        ({"$substrCP": ["$name", 1, 2]}, "rg"),
        ({"$substrCP": ["$null", 1, 2]}, ""),
        ({"$substrCP": ["$name", 9, 2]}, ""),
        ({"$substrBytes": ["$name", 2, -1]}, "rger"),
        ({"$substr": [12345, 0, 2]}, "12"),
        ({"$split": ["a,b,,c", ","]}, ["a", "b", "", "c"]),
        ({"$split": ["$null", ","]}, None),
        ({"$indexOfCP": ["$name", "r"]}, 1),
        ({"$indexOfCP": ["$name", "r", 2]}, 4),
        ({"$indexOfCP": ["$name", "r", 2, 4]}, -1),
        ({"$indexOfCP": ["$name", "", 9]}, -1),
        ({"$indexOfCP": ["$gone", "r"]}, None),
        ({"$strcasecmp": ["abc", "ABD"]}, -1),
        ({"$regexMatch": {"input": "$name", "regex": "^Är"}}, True),
        ({"$regexMatch": {"input": "$name", "regex": "GER", "options": "i"}}, True),
        ({"$regexMatch": {"input": "$name", "regex": Regex("GER")}}, False),
        ({"$regexMatch": {"input": "$name", "regex": Regex("GER", "i")}}, True),
        ({"$regexMatch": {"input": "$gone", "regex": "x"}}, False),
        ({"$regexMatch": {"input": "$name", "regex": None}}, False),
        ({"$strcasecmp": ["abc", "ABC"]}, 0),
        ({"$trim": {"input": " \u00a0\tx y\n\0"}}, "x y"),
        ({"$ltrim": {"input": "xxay", "chars": "yx"}}, "ay"),
        ({"$rtrim": {"input": "axyx", "chars": "yx"}}, "a"),
        ({"$trim": {"input": "$null"}}, None),
        ({"$replaceOne": {"input": "aaa", "find": "a", "replacement": "b"}}, "baa"),
        ({"$replaceAll": {"input": "aaa", "find": "a", "replacement": "bb"}}, "bbbbbb"),
        ({"$replaceAll": {"input": "aaa", "find": "$null", "replacement": "bb"}}, None),
    ],
)
def test_value(spec: Any, expected: Any) -> None:
    assert same(evaluate(spec, DOCUMENT), expected)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"$concat": ["a", "$number"]}, "$concat"),
        ({"$toLower": "$list"}, "array"),
        ({"$strLenCP": "$null"}, "$strLenCP"),
        ({"$substrCP": ["$name", -1, 1]}, "$substrCP"),
        ({"$substrCP": ["$name", "x", 1]}, "$substrCP"),
        ({"$substrBytes": ["$name", 1, 1]}, "$substrBytes"),
        ({"$split": ["$name", ""]}, "$split"),
        ({"$regexMatch": {"input": "$number", "regex": "x"}}, "$regexMatch"),
        ({"$regexMatch": {"input": "$name", "regex": "$name"}}, "$regexMatch"),
        ({"$regexMatch": {"input": "$name", "regex": "("}}, "$regex"),
        ({"$regexMatch": {"input": "$name", "regex": "x", "options": "q"}}, "q"),
        ({"$regexMatch": {"input": "$name", "regex": 1}}, "$regexMatch"),
        ({"$regexMatch": {"input": "$name"}}, "regex"),
        ({"$split": ["$number", ","]}, "$split"),
        ({"$indexOfCP": ["$name", 1]}, "$indexOfCP"),
        ({"$indexOfCP": ["$name", "r", -1]}, "$indexOfCP"),
        ({"$trim": {"input": "$number"}}, "$trim"),
        ({"$trim": {"inputs": "$number"}}, "inputs"),
        ({"$trim": "x"}, "$trim"),
        ({"$replaceAll": {"input": 1, "find": "a", "replacement": "b"}}, "$replaceAll"),
        ({"$substrCP": ["x", 0.5, Int64(1)]}, "whole"),
    ],
)
def test_what_has_no_value_names_the_operator(spec: Any, named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec, DOCUMENT)
    assert named in refused.value.message


def test_strings_do_not_grow_without_bound() -> None:
    half = "x" * (limits.MAX_EXPRESSION_STRING // 2 + 1)
    with pytest.raises(InvalidArgumentError, match=r"\$concat"):
        evaluate({"$concat": ["$half", "$half"]}, {"half": half})
    with pytest.raises(InvalidArgumentError, match=r"\$replaceAll"):
        evaluate({"$replaceAll": {"input": "$half", "find": "x", "replacement": "$half"}}, {"half": half})
