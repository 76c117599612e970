"""Names of types."""

from __future__ import annotations

from typing import Any

import pytest
from bson.code import Code
from bson.int64 import Int64
from bson.regex import Regex

from laura_fast.domain.documents.kinds import MISSING, NUMBERS, type_name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (MISSING, "missing"),
        (None, "null"),
        (True, "bool"),
        (1, "int"),
        (Int64(1), "long"),
        (2**31, "long"),
        (1.0, "double"),
        (b"", "binData"),
        (Code("f"), "javascript"),
        (Regex("a"), "regex"),
        ({}, "object"),
        ([], "array"),
    ],
)
def test_names_are_those_of_the_type_operator(value: Any, name: str) -> None:
    assert type_name(value) == name


def test_a_bool_is_no_number() -> None:
    assert bool not in NUMBERS
