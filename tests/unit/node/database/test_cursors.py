"""Cursor tokens: what comes back is what was given out, and nothing else is a cursor."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from laura_fast.errors import InvalidArgumentError, NotFoundError, OverloadedError
from laura_fast.limits import database as limits
from laura_fast.node.database.access import Place
from laura_fast.node.database.commands import QueryCommand
from laura_fast.node.database.cursors import Cursors, Position
from laura_fast.testing.clock import VirtualClock

COMMAND = QueryCommand("shop.orders", b"query", b"projection", b"sort", limit=10, skip=2)
POSITION = Position("s", "by_price/7", Place(b"\x20key", b"\x70id"), 7, 1_700_000_000_000)
SECRET = b"s" * 32


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def cursors(clock: VirtualClock) -> Cursors:
    return Cursors(SECRET, clock, lifetime_ms=1_000)


def test_a_token_brings_the_position_back(cursors: Cursors) -> None:
    token = cursors.token(COMMAND, POSITION)
    assert cursors.position(replace(COMMAND, cursor_id=token, batch_size=99)) == POSITION


def test_a_token_outlives_the_process(cursors: Cursors, clock: VirtualClock) -> None:
    token = cursors.token(COMMAND, POSITION)
    assert Cursors(SECRET, clock, 1).position(replace(COMMAND, cursor_id=token)) == POSITION


def test_another_secret_made_another_token(cursors: Cursors, clock: VirtualClock) -> None:
    token = Cursors(b"x" * 32, clock, 1_000).token(COMMAND, POSITION)
    with pytest.raises(InvalidArgumentError, match="not a cursor") as caught:
        cursors.position(replace(COMMAND, cursor_id=token))
    assert caught.value.reason == "CURSOR_INVALID"


def test_no_bit_of_a_token_can_be_changed(cursors: Cursors) -> None:
    raw = base64.urlsafe_b64decode(cursors.token(COMMAND, POSITION))
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidArgumentError, match="not a cursor"):
            cursors.position(replace(COMMAND, cursor_id=base64.urlsafe_b64encode(forged).decode()))


@pytest.mark.parametrize("noise", ["x", "é", "AAAA", "====", "\0", "A" * 100_000])
def test_noise_is_no_cursor(cursors: Cursors, noise: str) -> None:
    with pytest.raises(InvalidArgumentError, match="not a cursor"):
        cursors.position(replace(COMMAND, cursor_id=noise))


@pytest.mark.parametrize(
    "changed",
    [
        {"namespace": "shop.others"},
        {"query": b"other"},
        {"projection": b""},
        {"sort": b"other"},
        {"limit": 11},
        {"skip": 0},
        {"query": b"queryp", "projection": b"rojection"},
    ],
)
def test_a_token_belongs_to_its_query(cursors: Cursors, changed: dict[str, object]) -> None:
    token = cursors.token(COMMAND, POSITION)
    with pytest.raises(InvalidArgumentError, match="another query") as caught:
        cursors.position(replace(COMMAND, cursor_id=token, **changed))  # type: ignore[arg-type]  # fields of it
    assert caught.value.reason == "CURSOR_OTHER_QUERY"


def test_a_token_expires(cursors: Cursors, clock: VirtualClock) -> None:
    token = cursors.token(COMMAND, POSITION)
    clock.advance(0.999)
    cursors.position(replace(COMMAND, cursor_id=token))
    clock.advance(0.001)
    with pytest.raises(NotFoundError, match="expired") as caught:
        cursors.position(replace(COMMAND, cursor_id=token))
    assert caught.value.reason == "CURSOR_EXPIRED"


def test_a_key_that_is_too_long_is_said_to_be(cursors: Cursors) -> None:
    with pytest.raises(OverloadedError, match="sort key") as caught:
        cursors.token(COMMAND, POSITION._replace(place=Place(b"k" * limits.CURSOR_KEY_BYTES, b"i")))
    assert caught.value.reason == "CURSOR_KEY_TOO_LONG"
