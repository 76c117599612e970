"""Addresses as people write them."""

import pytest

from laura_fast.client.addresses import parse_address, parse_seeds
from laura_fast.errors import ConfigError
from laura_fast.limits.membership import MAX_SEED_NODES


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("db1:4000", "db1:4000"),
        ("db1", "db1:27018"),
        (" 10.0.0.1:1 ", "10.0.0.1:1"),
        ("[::1]:4000", "[::1]:4000"),
        ("[::1]", "[::1]:27018"),
        ("::1", "[::1]:27018"),
    ],
)
def test_an_address_gets_its_port(written: str, read: str) -> None:
    assert parse_address(written) == read


@pytest.mark.parametrize("written", ["", ":1", "db1:0", "db1:65536", "db1:x", "db1:²", "a b:1", "http://x", "h" * 254])
def test_a_wrong_address_is_named(written: str) -> None:
    with pytest.raises(ConfigError, match="address"):
        parse_address(written)


def test_seeds_keep_their_order_and_are_asked_once() -> None:
    assert parse_seeds("b:1,a:1,b:1,") == ("b:1", "a:1")
    assert parse_seeds(["b:1", "a:1,c"]) == ("b:1", "a:1", "c:27018")


@pytest.mark.parametrize("seeds", ["", ",", [f"h{number}" for number in range(MAX_SEED_NODES + 1)]])
def test_no_seed_and_too_many_are_refused(seeds: str | list[str]) -> None:
    with pytest.raises(ConfigError, match="server addresses given"):
        parse_seeds(seeds)
