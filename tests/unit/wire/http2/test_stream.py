"""The stream's states are those of RFC 9113 §5.1, every other step is an error, and trailers wait for the queue."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from laura_fast.errors import ProtocolError
from laura_fast.wire.http2.buckets import Bucket
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.stream import Input, State, Stream

STEPS = {
    (State.OPEN, Input.RECEIVED): State.OPEN,
    (State.OPEN, Input.END_RECEIVED): State.HALF_CLOSED_REMOTE,
    (State.OPEN, Input.END_SENT): State.HALF_CLOSED_LOCAL,
    (State.OPEN, Input.RESET): State.CLOSED,
    (State.HALF_CLOSED_LOCAL, Input.RECEIVED): State.HALF_CLOSED_LOCAL,
    (State.HALF_CLOSED_LOCAL, Input.END_RECEIVED): State.CLOSED,
    (State.HALF_CLOSED_LOCAL, Input.RESET): State.CLOSED,
    (State.HALF_CLOSED_REMOTE, Input.END_SENT): State.CLOSED,
    (State.HALF_CLOSED_REMOTE, Input.RESET): State.CLOSED,
}


def stream(state: State = State.OPEN) -> Any:
    made = Stream(1, SimpleNamespace(content_length=None), 100, 0.0)
    made.state = state
    return made


@pytest.mark.parametrize("event", Input)
@pytest.mark.parametrize("state", State)
def test_every_step(state: State, event: Input) -> None:
    changed = stream(state)
    if (state, event) in STEPS:
        changed.step(event)
        assert changed.state is STEPS[state, event]
        assert changed.receiving is (changed.state in (State.OPEN, State.HALF_CLOSED_LOCAL))
    else:
        with pytest.raises(ProtocolError) as caught:
            changed.step(event)
        assert caught.value.error_code == ErrorCode.STREAM_CLOSED
        assert changed.state is state


def test_what_was_queued_comes_out_in_order_cut_to_size() -> None:
    queued = stream()
    for piece in (b"abc", b"defgh"):
        queued.enqueue(piece)
    out = []
    while queued.queued:
        out.append(bytes(queued.dequeue(2)))
    assert out == [b"ab", b"c", b"de", b"fg", b"h"]


def test_a_queue_stalls_only_while_nothing_leaves_it() -> None:
    queued = stream()
    queued.enqueue(b"abcd")
    assert queued.stalled_s(100.0) == 100.0
    queued.dequeue(1)
    assert queued.stalled_s(130.0) == 0.0
    assert queued.stalled_s(140.0) == 10.0
    queued.clear()
    assert queued.stalled_s(200.0) == 0.0


def test_a_bucket_allows_its_burst_then_its_rate() -> None:
    bucket = Bucket(3, 1)
    assert [bucket.take(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert not bucket.take(2.0)
    assert bucket.take(4.0)
    assert bucket.take(4.0, 3, earned=3)
