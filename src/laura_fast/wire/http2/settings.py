"""What the peer told us about itself in SETTINGS (RFC 9113 §6.5)."""

from __future__ import annotations

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.constants import Setting
from laura_fast.wire.http2.errors import ErrorCode


class PeerSettings:
    """The peer's current values; the defaults hold until its first SETTINGS frame arrives.

    Attributes:
        header_table_size: Bound of the dynamic table our encoder may use, bytes.
        max_concurrent_streams: Streams the peer accepts at once.
        initial_window: Send window of a new stream, bytes.
        frame_bytes: Longest payload the peer takes.
        header_list_bytes: Longest header list the peer takes, as RFC 9113 §6.5.2 counts it.
    """

    __slots__ = ("frame_bytes", "header_list_bytes", "header_table_size", "initial_window", "max_concurrent_streams")

    def __init__(self) -> None:
        self.header_table_size = 4096
        self.max_concurrent_streams = h2.MAX_STREAM_ID
        self.initial_window = h2.DEFAULT_WINDOW
        self.frame_bytes = h2.DEFAULT_FRAME_BYTES
        self.header_list_bytes = h2.MAX_WINDOW

    def update(self, payload: bytes) -> int:
        """Takes over the values of one frame and returns by how much the initial window changed.

        Raises:
            ProtocolError: Malformed frame, too many entries, or a value outside its range (connection error).
        """
        entries = frames.settings_entries(payload)
        if len(entries) > limits.MAX_SETTINGS_ENTRIES:
            raise ProtocolError(f"SETTINGS with {len(entries)} entries", ErrorCode.ENHANCE_YOUR_CALM)
        before = self.initial_window
        for key, value in entries:
            self._take(key, value)
        return self.initial_window - before

    def _take(self, key: int, value: int) -> None:
        if key == Setting.HEADER_TABLE_SIZE:
            self.header_table_size = value
        elif key == Setting.ENABLE_PUSH:
            _require(value <= 1, "ENABLE_PUSH", value, ErrorCode.PROTOCOL_ERROR)
        elif key == Setting.MAX_CONCURRENT_STREAMS:
            self.max_concurrent_streams = value
        elif key == Setting.INITIAL_WINDOW_SIZE:
            _require(value <= h2.MAX_WINDOW, "INITIAL_WINDOW_SIZE", value, ErrorCode.FLOW_CONTROL_ERROR)
            self.initial_window = value
        elif key == Setting.MAX_FRAME_SIZE:
            in_range = h2.DEFAULT_FRAME_BYTES <= value < 1 << 24
            _require(in_range, "MAX_FRAME_SIZE", value, ErrorCode.PROTOCOL_ERROR)
            self.frame_bytes = value
        elif key == Setting.MAX_HEADER_LIST_SIZE:
            self.header_list_bytes = value
        # RFC 9113 §6.5.2: an unknown setting is ignored.


def _require(holds: bool, name: str, value: int, error_code: ErrorCode) -> None:
    if not holds:
        raise ProtocolError(f"SETTINGS_{name} = {value}", error_code)
