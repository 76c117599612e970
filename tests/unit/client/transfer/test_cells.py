"""Types of CSV columns as they are written on the command line."""

from __future__ import annotations

import pytest

from laura_fast.client.transfer.cells import parse_types
from laura_fast.errors import ConfigError


def test_types_are_named_per_column() -> None:
    assert parse_types("a=int,b.c=date,x=y=string,*=auto") == {"a": "int", "b.c": "date", "x=y": "string", "*": "auto"}
    assert parse_types("") == {}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("a", "column type 'a': write column=type; types: auto, bool,"),
        ("a=number", "column type 'a=number'"),
        ("a=int,a=long", "column 'a' is given two types"),
    ],
)
def test_types_that_cannot_be_read(written: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_types(written)
