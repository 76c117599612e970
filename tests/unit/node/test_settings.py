"""Bounds of the membership settings."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.errors import ConfigError
from laura_fast.node.settings import MembershipSettings


def test_defaults_are_allowed() -> None:
    assert MembershipSettings().down_after_ms == 10_000


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"heartbeat_interval_ms": 9}, "heartbeat_interval"),
        ({"heartbeat_interval_ms": 3_000}, "heartbeat_interval"),
        ({"suspect_after_ms": 10_000}, "suspect_after"),
        ({"down_after_ms": 3_600_001}, "down_after"),
        ({"heartbeat_topology": "never"}, "heartbeat_topology"),
        ({"stripes": 0}, "stripes"),
        ({"stripes": 48}, "stripes"),
        ({"stripes": 8_192}, "stripes"),
        ({"max_nodes": 0}, "max_nodes"),
        ({"max_nodes": 20_001}, "max_nodes"),
    ],
)
def test_a_wrong_value_is_named_with_its_range(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{key} = {next(iter(wrong.values()))}: allowed is "):
        MembershipSettings(**wrong)
