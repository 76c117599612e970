"""Length-prefixed messages inside DATA frames (gRPC over HTTP/2, "Length-Prefixed-Message")."""

from __future__ import annotations

import struct
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from laura_fast.errors import Code, OverloadedError, RpcError
from laura_fast.limits.rpc import MAX_READY_MESSAGES

if TYPE_CHECKING:
    from laura_fast.wire.grpc.compression import Codec

PREFIX: Final = struct.Struct(">BI")
"""In front of each message: one octet of flags, four of length."""

PREFIX_BYTES: Final = PREFIX.size

_COMPRESSED: Final = 1
_pack_prefix = PREFIX.pack
_read_prefix = PREFIX.unpack_from


class BrokenMessageError(RpcError):
    """The peer's bytes are no message; INTERNAL, as the gRPC specification says of framing and compression errors."""

    code = Code.INTERNAL


def frame_message(message: bytes, codec: Codec | None = None) -> bytes:
    """The message behind its prefix, compressed where a codec is given."""
    if codec is None:
        return _pack_prefix(0, len(message)) + message
    packed = codec.compress(message)
    return b"\1" + len(packed).to_bytes(4, "big") + packed


class Inflated(bytes):
    """A message that came compressed: gRPC's interoperability tests ask the server whether it did."""

    __slots__ = ()


def too_large(size: int, limit: int) -> OverloadedError:
    """The refusal of a message, on the wire or inflated, beyond the limit."""
    return OverloadedError(
        f"Received message larger than max ({size} vs. {limit})",
        "MESSAGE_TOO_LARGE",
        metadata={"limit_bytes": str(limit)},
    )


class Deframer:
    """Cuts the DATA of one direction of one stream into messages.

    Nothing is allocated on the word of a prefix: what is held is what arrived. A piece that is one whole plain message,
    as nearly all are, is kept as it came (paid for by bench.streams); everything else goes through one buffer.

    Args:
        max_message_bytes: Longest message, on the wire and inflated.
        codec: How compressed messages are packed; None where the call named no encoding.
    """

    __slots__ = ("_buffer", "_codec", "_max_message_bytes", "_needed", "_ready", "_ready_bytes")

    def __init__(self, max_message_bytes: int, codec: Codec | None = None) -> None:
        self._buffer: bytes | bytearray = b""
        self._needed = PREFIX_BYTES
        self._max_message_bytes = max_message_bytes
        self._codec = codec
        self._ready: deque[bytes] = deque()  # before what is in the buffer
        self._ready_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Octets that were pushed and not popped."""
        return self._ready_bytes + len(self._buffer)

    @property
    def has_message(self) -> bool:
        """`pop` has a message."""
        return bool(self._ready) or len(self._buffer) >= self._needed

    @property
    def missing_bytes(self) -> int:
        """Octets still to come until the message that has begun is whole; 0 if it is, or if none has."""
        return max(0, self._needed - len(self._buffer)) if self._buffer else 0

    @property
    def surplus_bytes(self) -> int:
        """Octets behind the first whole message."""
        first = len(self._ready[0]) if self._ready else self._needed
        return max(0, self.held_bytes - first)

    def push(self, data: bytes) -> None:
        """Takes what arrived.

        Raises:
            OverloadedError: The next message is larger than the limit: refused at its prefix.
            BrokenMessageError: Its flags are not defined, or it is compressed and no encoding was named.
        """
        size = len(data)
        if not self._buffer:
            if size >= PREFIX_BYTES and len(self._ready) < MAX_READY_MESSAGES:
                compressed, length = _read_prefix(data)
                if not compressed and length == size - PREFIX_BYTES <= self._max_message_bytes:
                    self._ready.append(data)
                    self._ready_bytes += size
                    return
            self._buffer = data
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        self._look()

    def pop(self) -> bytes | None:
        """The next whole message, None if it is still incomplete. Inflated only now.

        Raises:
            OverloadedError: The message, or what it inflates to, is larger than the limit.
            BrokenMessageError: As for `push`, or the compressed content is not what was declared.
        """
        if self._ready:
            ready = self._ready.popleft()
            self._ready_bytes -= len(ready)
            return ready[PREFIX_BYTES:]
        self._look()
        if not self.has_message:
            return None
        with memoryview(self._buffer) as view:
            compressed, body = view[0] == _COMPRESSED, bytes(view[PREFIX_BYTES : self._needed])
        self._drop()
        return self._unpack(body) if compressed else body

    def _drop(self) -> None:
        """Forgets the first message and looks at the next one."""
        size, self._needed = self._needed, PREFIX_BYTES
        if len(self._buffer) == size:
            self._buffer = b""
            return
        # A bytearray loses its front without moving the rest; bytes would be copied for each message.
        rest = self._buffer if isinstance(self._buffer, bytearray) else bytearray(self._buffer)
        del rest[:size]
        self._buffer = rest
        with suppress(RpcError):  # told when that message is popped
            self._look()

    def clear(self) -> None:
        """Forgets what is held."""
        self._buffer = b""
        self._needed = PREFIX_BYTES
        self._ready.clear()
        self._ready_bytes = 0

    def finish(self) -> None:
        """Tells that the peer half-closed.

        Raises:
            BrokenMessageError: In the middle of a message.
        """
        if self.held_bytes:
            raise BrokenMessageError("stream ended inside a message", "TRUNCATED_MESSAGE")

    def _look(self) -> None:
        """Reads the prefix of the next message, once it is here."""
        if self._needed == PREFIX_BYTES and len(self._buffer) >= PREFIX_BYTES:
            self._needed += self._message_bytes(self._buffer[:PREFIX_BYTES])

    def _message_bytes(self, prefix: bytes | bytearray) -> int:
        length = int.from_bytes(prefix[1:], "big")
        if prefix[0] > _COMPRESSED:
            raise BrokenMessageError(f"message with unknown flags {prefix[0]:#04x}", "UNKNOWN_MESSAGE_FLAGS")
        if prefix[0] == _COMPRESSED and self._codec is None:
            raise BrokenMessageError("compressed message without grpc-encoding", "UNDECLARED_COMPRESSION")
        if length > self._max_message_bytes:
            raise too_large(length, self._max_message_bytes)
        return length

    def _unpack(self, body: bytes) -> Inflated:
        assert self._codec is not None, "refused at the prefix"  # noqa: S101  # an invariant kept on in production
        return Inflated(self._codec.decompress(body, self._max_message_bytes))
