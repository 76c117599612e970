"""grpc-timeout: the specification's grammar, nothing wider."""

from __future__ import annotations

import pytest

from laura_fast.errors import Code
from laura_fast.wire.grpc.framing import BrokenMessageError
from laura_fast.wire.grpc.timeout import format_timeout, parse_timeout


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"5S", 5), (b"250m", 0.25), (b"7u", 7e-6), (b"0n", 0), (b"1H", 3600), (b"2M", 120), (b"99999999H", 359999996400)],
)
def test_parse(value: bytes, seconds: float) -> None:
    assert parse_timeout(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", [b"", b"5", b"S", b"5s", b"-1S", b"+1S", b"1.5S", b"1e9H", b"123456789S", b" 5S", b"5S\n"]
)
def test_malformed(value: bytes) -> None:
    with pytest.raises(BrokenMessageError) as caught:
        parse_timeout(value)
    assert caught.value.code == Code.INTERNAL


@pytest.mark.parametrize(
    ("seconds", "value"),
    [(5, b"5000000u"), (0.05, b"50000000n"), (3600, b"3600000m"), (-1, b"1n"), (0, b"1n"), (1e12, b"99999999H")],
)
def test_format(seconds: float, value: bytes) -> None:
    assert format_timeout(seconds) == value
