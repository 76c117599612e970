"""One stream: its state as RFC 9113 §5.1 draws it, its two windows, and what waits to be sent on it.

Invariants:
    1. A stream that is CLOSED is in no table and has nothing queued.
    2. `queued` is the sum of the lengths in `outbox`.
    3. Trailers leave after the last queued byte, never before.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable


class State(IntEnum):
    """The states that a stream in use goes through; idle and reserved ones are never objects here."""

    OPEN = 0
    HALF_CLOSED_LOCAL = 1
    HALF_CLOSED_REMOTE = 2
    CLOSED = 3


class Input(IntEnum):
    """What changes a state."""

    RECEIVED = 0
    """HEADERS (trailers) or DATA."""
    END_RECEIVED = 1
    END_SENT = 2
    RESET = 3


_NEXT: Final = (
    # RECEIVED, END_RECEIVED, END_SENT, RESET
    (State.OPEN, State.HALF_CLOSED_REMOTE, State.HALF_CLOSED_LOCAL, State.CLOSED),  # from OPEN
    (State.HALF_CLOSED_LOCAL, State.CLOSED, None, State.CLOSED),  # from HALF_CLOSED_LOCAL
    (None, None, State.CLOSED, State.CLOSED),  # from HALF_CLOSED_REMOTE
    (None, None, None, None),  # from CLOSED
)
"""The next state, by state and input; None where the input is an error."""


class Stream:
    """A stream that is open in at least one direction.

    Attributes:
        stream_id: Its number.
        request: What the host prepared from the header block.
        call: Whatever the host ties to the stream.
        state: See `State`.
        receiving: The peer may send DATA: short for two states.
        send_window: Bytes of DATA the peer still takes; negative after it lowered its initial window.
        receive_window: Bytes of DATA the peer may still send.
        content_left: Bytes the content-length still promises, None if none was stated.
        queued: Bytes in the outbox.
        on_room: Called once when the outbox has room again.
        moved: Pieces that left the outbox, for whoever looks out for stalled streams.
        moved_before: `moved` when it was last looked at, at `looked_at` seconds.
    """

    __slots__ = (
        "call",
        "consumed",
        "content_left",
        "looked_at",
        "moved",
        "moved_before",
        "on_room",
        "outbox",
        "queued",
        "receive_window",
        "receiving",
        "request",
        "send_window",
        "state",
        "stream_id",
        "trailers",
    )

    def __init__(self, stream_id: int, request: Any, send_window: int, now: float) -> None:
        self.stream_id = stream_id
        self.request = request
        self.call: Any = None
        self.state = State.OPEN
        self.receiving = True
        self.send_window = send_window
        self.receive_window = limits.STREAM_WINDOW_BYTES
        self.consumed = 0
        self.content_left: int | None = request.content_length
        self.outbox: deque[bytes | memoryview] | None = None
        self.queued = 0
        self.trailers: bytes | None = None
        self.on_room: Callable[[], None] | None = None
        self.moved = self.moved_before = 0
        self.looked_at = now

    def step(self, event: Input) -> None:
        """Changes the state.

        Raises:
            ProtocolError: The table has no such step: frames after END_STREAM, which end the connection
                (RFC 9113 §5.1 STREAM_CLOSED; a mere reset would invite CVE-2025-8671).
        """
        after = _NEXT[self.state][event]
        if after is None:
            message = f"{event.name} on stream {self.stream_id} which is {self.state.name}"
            raise ProtocolError(message, ErrorCode.STREAM_CLOSED)
        self.state = after
        self.receiving = after <= State.HALF_CLOSED_LOCAL

    def take_in(self, size: int) -> None:
        """Counts `size` bytes of received DATA against the window.

        Raises:
            ProtocolError: More than the window allows (stream error).
        """
        self.receive_window -= size
        if self.receive_window < 0:
            raise ProtocolError("stream window exceeded", ErrorCode.FLOW_CONTROL_ERROR, self.stream_id)

    def takes(self, size: int) -> bool:
        """Counts `size` bytes of a body that goes on, where nothing has to be checked but the window."""
        if not self.receiving or self.content_left is not None or not 0 < size <= self.receive_window:
            return False
        self.receive_window -= size
        return True

    def count_content(self, size: int, *, ended: bool) -> None:
        """Holds the body against its content-length (RFC 9113 §8.1.1)."""
        if self.content_left is None:
            return
        self.content_left -= size
        if self.content_left < 0 or (ended and self.content_left):
            raise ProtocolError("body differs from content-length", ErrorCode.PROTOCOL_ERROR, self.stream_id)

    def widen(self, increment: int) -> None:
        """Adds to the send window (WINDOW_UPDATE or SETTINGS).

        Raises:
            ProtocolError: Above 2^31-1 (RFC 9113 §6.9.1).
        """
        self.send_window += increment
        if self.send_window > h2.MAX_WINDOW:
            raise ProtocolError("stream window overflow", ErrorCode.FLOW_CONTROL_ERROR, self.stream_id)

    def enqueue(self, data: bytes) -> None:
        """Appends to the outbox without a copy."""
        if self.outbox is None:
            self.outbox = deque()
        self.outbox.append(data)
        self.queued += len(data)

    def dequeue(self, size: int) -> bytes | memoryview:
        """Takes the next piece of at most `size` bytes from the outbox, which is not empty."""
        outbox = self.outbox
        assert outbox  # noqa: S101  # invariant 2
        piece = outbox.popleft()
        if len(piece) > size:
            view = memoryview(piece)
            outbox.appendleft(view[size:])
            piece = view[:size]
        self.queued -= len(piece)
        self.moved += 1
        return piece

    def stalled_s(self, now: float) -> float:
        """Seconds for which bytes were queued and none left; kept by asking again and again."""
        if not self.queued or self.moved != self.moved_before:
            self.moved_before, self.looked_at = self.moved, now
        return now - self.looked_at

    def clear(self) -> None:
        """Forgets what is queued: the stream was reset."""
        self.outbox, self.queued, self.trailers = None, 0, None
