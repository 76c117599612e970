"""What both ends of a connection do alike: settings, pings, windows, GOAWAY, and policing all of them.

The machine takes bytes and puts answers into `out`; it knows no socket and no clock. Its owner passes `now`, the
seconds of any steady clock, with every call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.buckets import Bucket
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.sending import Sender

if TYPE_CHECKING:
    from laura_fast.wire.http2.stream import Stream

_PING_BYTES: Final = 8
_DRAIN_PING: Final = b"draining"
_NO_TABLE: Final = b"\x20"
"""HPACK's table size update to 0."""
_KEEPALIVE_PING: Final = b"keepaliv"


class Connection(Sender):
    """One connection without its role.

    Attributes:
        now: Time of the bytes being handled, seconds.
        last_stream_id: Highest stream the peer opened.
        peer_last_stream_id: From the peer's GOAWAY: streams of ours above it were not served. None before one.
        settings_received: The peer's first SETTINGS arrived: the handshake is complete.
        settings_acknowledged: The peer knows our SETTINGS.
        draining: 0 no; 1 the first GOAWAY was sent; 2 the last one was.
        ping_sent_at: When the unanswered keep-alive PING was sent, or None.
        closed: A fatal error was answered with GOAWAY: write `out`, then close.
    """

    def __init__(self, min_ping_interval_s: float) -> None:
        super().__init__()
        self.now = 0.0
        self.last_stream_id = 0
        self.peer_last_stream_id: int | None = None
        self.settings_received = False
        self.settings_acknowledged = False
        self.draining = 0
        self.ping_sent_at: float | None = None
        self.closed = False
        self._min_ping_interval_s = min_ping_interval_s
        self._ping_seen_at = float("-inf")
        self._receive_window = limits.CONNECTION_WINDOW_BYTES
        self._resets = Bucket(limits.RESET_BURST, limits.RESETS_PER_SECOND)
        self._settings = Bucket(limits.SETTINGS_BURST, limits.SETTINGS_PER_SECOND)
        self._empties = Bucket(limits.EMPTY_FRAME_BURST, limits.EMPTY_FRAMES_PER_SECOND)
        self._glitches = Bucket(limits.GLITCH_BURST, limits.GLITCHES_PER_SECOND)
        self._progress_seen = 0
        self._passed_over = 0  # stream ids that the peer never used
        self._reset_streams = 0
        self._well_ended_seen = 0
        self._reset_by_us: dict[int, None] = {}

    # --- what the owner asks for ---------------------------------------------------------------------------------

    def keep_alive(self, now: float) -> None:
        """Sends a PING whose answer clears `ping_sent_at`."""
        self.ping_sent_at = now
        self.out.append(frames.ping(_KEEPALIVE_PING))

    def drain(self) -> None:
        """First step of a graceful end (RFC 9113 §6.8): no new streams, please; those on the way are still served.

        The answer to the PING behind it shows that the peer knows; the second GOAWAY then says where we stopped.
        """
        if not self.draining and not self.closed:
            self.draining = 1
            self.out += frames.goaway(h2.MAX_STREAM_ID, ErrorCode.NO_ERROR), frames.ping(_DRAIN_PING)

    def finish_draining(self) -> None:
        """Second step: the last stream that is served. Later ones are refused."""
        if self.draining < 2 and not self.closed:  # noqa: PLR2004  # see `draining`
            self.draining = 2
            self.out.append(frames.goaway(self.last_stream_id, ErrorCode.NO_ERROR))

    def fail(self, error: ProtocolError) -> None:
        """Ends the connection with GOAWAY."""
        if not self.closed:
            self.closed = True
            self.out.append(frames.goaway(self.last_stream_id, error.error_code, str(error).encode()[:200]))

    def consume(self, stream: Stream, size: int) -> None:
        """Gives the peer `size` bytes of the stream's window back, in steps of half a window."""
        stream.consumed += size
        if stream.receiving and stream.consumed * 2 >= limits.STREAM_WINDOW_BYTES:
            self.grant(stream, stream.consumed)
            stream.consumed = 0

    def grant(self, stream: Stream, size: int) -> None:
        """Widens the stream's receive window now."""
        stream.receive_window += size
        self.out.append(frames.window_update(stream.stream_id, size))

    # --- frames that any role receives ---------------------------------------------------------------------------

    def on_settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ProtocolError("SETTINGS on a stream", ErrorCode.PROTOCOL_ERROR)
        if flags & h2.ACK:
            if payload:
                raise ProtocolError("SETTINGS acknowledgement with a payload", ErrorCode.FRAME_SIZE_ERROR)
            self.settings_acknowledged = True
            self._glitch()
            return
        if not self._settings.take(self.now):
            raise ProtocolError("too many SETTINGS", ErrorCode.ENHANCE_YOUR_CALM)
        change = self.peer.update(payload)
        if self.peer.header_table_size < limits.HPACK_TABLE_BYTES:
            # RFC 7541 §4.2: the next block says that we use less. Our blocks are constant: we use nothing.
            self.block_prefix = _NO_TABLE
        if change:
            self._change_initial_window(change)
        self.settings_received = True
        self.out.append(frames.SETTINGS_ACK)

    def on_ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ProtocolError("PING on a stream", ErrorCode.PROTOCOL_ERROR)
        if len(payload) != _PING_BYTES:
            raise ProtocolError(f"PING of {len(payload)} bytes", ErrorCode.FRAME_SIZE_ERROR)
        if flags & h2.ACK:
            self._on_ping_ack(payload)
            return
        self._police_pings()
        self.out.append(frames.ping(payload, ack=True))

    def _on_ping_ack(self, payload: bytes) -> None:
        if payload == _KEEPALIVE_PING and self.ping_sent_at is not None:
            self.ping_sent_at = None
        elif payload == _DRAIN_PING and self.draining == 1:
            self.finish_draining()
        else:
            self._glitch()

    def _police_pings(self) -> None:
        """The rule of gRPC's keep-alive design (A8): two early pings are forgiven until we send HEADERS or DATA."""
        if self.now - self._ping_seen_at < self._min_ping_interval_s:
            self.strikes += 1
            if self.strikes > limits.MAX_PING_STRIKES:
                raise ProtocolError("too_many_pings", ErrorCode.ENHANCE_YOUR_CALM)
        self._ping_seen_at = self.now

    def on_goaway(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ProtocolError("GOAWAY on a stream", ErrorCode.PROTOCOL_ERROR)
        if len(payload) < 8:  # noqa: PLR2004  # last stream id and error code
            raise ProtocolError(f"GOAWAY of {len(payload)} bytes", ErrorCode.FRAME_SIZE_ERROR)
        self._glitch()
        self.peer_last_stream_id = int.from_bytes(payload[:4], "big") & h2.MAX_STREAM_ID

    def on_window_update(self, _flags: int, stream_id: int, payload: bytes) -> None:
        self._glitch()
        self._require_not_idle(stream_id, "WINDOW_UPDATE")
        self._widen(stream_id, frames.increment(payload))

    def on_priority(self, _flags: int, stream_id: int, payload: bytes) -> None:
        frames.check_priority(payload, stream_id)
        self._glitch()

    def on_push_promise(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        raise ProtocolError("PUSH_PROMISE: push is off, and clients never push", ErrorCode.PROTOCOL_ERROR)

    def on_unknown(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        self._glitch()  # RFC 9113 §5.5: ignored, but not for free

    # --- accounting ----------------------------------------------------------------------------------------------

    def _require_not_idle(self, stream_id: int, kind: str) -> None:
        """RFC 9113 §5.1: on an idle stream only HEADERS and PRIORITY are allowed."""
        if stream_id > self.last_stream_id or (stream_id and not stream_id & 1):
            raise ProtocolError(f"{kind} on idle stream {stream_id}", ErrorCode.PROTOCOL_ERROR)

    def _credit(self, size: int) -> None:
        """Counts received DATA against the connection's window and gives it back in halves, whoever reads it."""
        self._receive_window -= size
        if self._receive_window < 0:
            raise ProtocolError("connection window exceeded", ErrorCode.FLOW_CONTROL_ERROR)
        used = limits.CONNECTION_WINDOW_BYTES - self._receive_window
        if used * 2 >= limits.CONNECTION_WINDOW_BYTES:
            self._receive_window += used
            self.out.append(frames.window_update(0, used))

    def _glitch(self, count: int = 1) -> None:
        """Counts frames that move no call forward; calls and DATA earn some, as windows are updated for them."""
        progress = self._opened + self.data_frames
        earned = (progress - self._progress_seen) * limits.GLITCHES_EARNED
        self._progress_seen = progress
        if not self._glitches.take(self.now, count, earned=earned):
            raise ProtocolError("too many frames that do nothing", ErrorCode.ENHANCE_YOUR_CALM)

    @property
    def _opened(self) -> int:
        """Streams that the peer has opened."""
        return (self.last_stream_id + 1) // 2 - self._passed_over

    def _count_reset(self) -> None:
        self._reset_streams += 1
        well_ended = self._opened - self._reset_streams - len(self.streams)
        earned = max(0, well_ended - self._well_ended_seen)
        self._well_ended_seen += earned
        if not self._resets.take(self.now, earned=earned):
            raise ProtocolError("too many streams reset", ErrorCode.ENHANCE_YOUR_CALM)

    def _count_empty(self) -> None:
        if not self._empties.take(self.now):
            raise ProtocolError("too many empty frames", ErrorCode.ENHANCE_YOUR_CALM)

    def _remember_reset(self, stream_id: int) -> None:
        reset = self._reset_by_us
        reset[stream_id] = None
        if len(reset) > limits.MAX_REMEMBERED_RESETS:
            del reset[next(iter(reset))]
