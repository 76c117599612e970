"""Which names databases and collections may have."""

from __future__ import annotations

import pytest

from laura_fast.errors import InvalidArgumentError
from laura_fast.node.database.names import namespace


@pytest.mark.parametrize(
    ("database", "collection"),
    [("shop", "orders"), ("a" * 63, "b" * 191), ("shop", "orders.2026"), ("läden", "größen"), ("shop", "a b-c")],
)
def test_good_names_are_joined(database: str, collection: str) -> None:
    assert namespace(database, collection) == f"{database}.{collection}"


@pytest.mark.parametrize(
    ("database", "collection", "named"),
    [
        ("", "orders", "database's name is empty"),
        ("shop", "", "collection's name is empty"),
        ("a" * 64, "orders", "63 bytes"),
        ("ä" * 32, "orders", "63 bytes"),
        ("a.b", "orders", "'.'"),
        ("a b", "orders", "' '"),
        ("a\0", "orders", r"\\x00"),
        ("shop", "a$b", r"'\$'"),
        ("shop", "a\0b", r"\\x00"),
        ("shop", "system.users", "system"),
        ("shop", ".orders", "begins"),
        ("shop", "orders.", "ends"),
        ("shop", "a" * 251, "255 bytes"),
    ],
)
def test_bad_names_are_refused_by_name(database: str, collection: str, named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named) as caught:
        namespace(database, collection)
    assert caught.value.reason == "INVALID_NAME"


def test_a_long_bad_name_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        namespace("$" * 100_000, "orders")
    assert len(caught.value.message) < 200
