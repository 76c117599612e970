"""A message that has begun must go on; silence between messages, and waiting for us, are no fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from laura_fast.limits.transport import BODY_BYTES_PER_SECOND, BODY_S
from laura_fast.transport.native.inbox import Assembly, Inbox
from laura_fast.wire.grpc.framing import Deframer, frame_message

LARGE = frame_message(bytes(1 << 20))


@pytest.fixture
def stream() -> Any:
    return SimpleNamespace(receive_window=1000)


@pytest.fixture
def inbox(stream: Any) -> Inbox:
    machine = SimpleNamespace(consume=lambda *_: None, grant=lambda *_: None)
    host: Any = SimpleNamespace(machine=machine, assembly=Assembly(), flush_soon=lambda: None)
    return Inbox(host, stream, Deframer(1 << 21))


def judged(inbox: Inbox, piece: bytes, seconds: int) -> bool:
    """Whether it dribbles when `piece` comes every second."""
    verdicts = []
    for second in range(seconds):
        inbox.feed(piece)
        verdicts.append(inbox.dribbles(float(second)))
    return any(verdicts)


def test_a_byte_a_second_is_too_slow(inbox: Inbox) -> None:
    inbox.feed(LARGE[:10])
    assert judged(inbox, b"x", int(BODY_S) + 2)


def test_twice_the_rate_is_fine(inbox: Inbox) -> None:
    inbox.feed(LARGE[:10])
    assert not judged(inbox, bytes(2 * BODY_BYTES_PER_SECOND), 30)


def test_silence_between_messages_is_fine(inbox: Inbox) -> None:
    inbox.feed(frame_message(b"whole"))
    assert not any(inbox.dribbles(float(second)) for second in range(100))


def test_a_peer_that_waits_for_room_is_not_blamed(inbox: Inbox, stream: Any) -> None:
    inbox.feed(LARGE[:10])
    stream.receive_window = 0
    assert not any(inbox.dribbles(float(second)) for second in range(100))


def test_each_message_has_its_own_time(inbox: Inbox) -> None:
    """A stream of small messages, the next of which has always begun when somebody looks."""
    small = frame_message(b"some text")
    inbox.feed(small[:7])
    for second in range(100):
        assert not inbox.dribbles(float(second))
        inbox.feed(small[7:] + small[:7])
        assert inbox.take() == b"some text"
