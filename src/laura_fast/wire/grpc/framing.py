"""Length-prefixed messages inside DATA frames (gRPC over HTTP/2, "Length-Prefixed-Message")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import Code, OverloadedError, RpcError

if TYPE_CHECKING:
    from laura_fast.wire.grpc.compression import Codec

PREFIX_BYTES: Final = 5
"""One octet of flags, four of length."""

_PLAIN: Final = 0
_COMPRESSED: Final = 1


class BrokenMessageError(RpcError):
    """The peer's bytes are no message; INTERNAL, as the gRPC specification says of framing and compression errors."""

    code = Code.INTERNAL


def frame_message(message: bytes, codec: Codec | None = None) -> bytes:
    """The message behind its prefix, compressed where a codec is given."""
    if codec is None:
        return b"\0" + len(message).to_bytes(4, "big") + message
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

    Nothing is allocated on the word of a prefix: what is held is what arrived.

    Args:
        max_message_bytes: Longest message, on the wire and inflated.
        codec: How compressed messages are packed; None where the call named no encoding.
    """

    __slots__ = ("_buffer", "_codec", "_max_message_bytes", "_needed")

    def __init__(self, max_message_bytes: int, codec: Codec | None = None) -> None:
        self._buffer = bytearray()
        self._needed = PREFIX_BYTES
        self._max_message_bytes = max_message_bytes
        self._codec = codec

    @property
    def missing_bytes(self) -> int:
        """Octets still to come until the message that has begun is whole; 0 between messages."""
        return self._needed - len(self._buffer) if self._buffer else 0

    def feed(self, data: bytes) -> list[bytes]:
        """Messages that `data` completes, in order.

        Raises:
            OverloadedError: A message larger than the limit, refused at its prefix or while it is inflated.
            BrokenMessageError: Flags that gRPC does not define, or compressed content that is not what was declared.
        """
        if not self._buffer and len(data) >= PREFIX_BYTES:
            end = PREFIX_BYTES + int.from_bytes(data[1:PREFIX_BYTES], "big")
            if data[0] == _PLAIN and end == len(data) and end - PREFIX_BYTES <= self._max_message_bytes:
                return [data[PREFIX_BYTES:]]  # one message, one frame: every unary call
        self._buffer += data
        return self._cut() if len(self._buffer) >= self._needed else []

    def finish(self) -> None:
        """Tells that the peer half-closed.

        Raises:
            BrokenMessageError: In the middle of a message.
        """
        if self._buffer:
            raise BrokenMessageError("stream ended inside a message", "TRUNCATED_MESSAGE")

    def _cut(self) -> list[bytes]:
        messages, position, size = [], 0, len(self._buffer)
        with memoryview(self._buffer) as view:
            while size - position >= PREFIX_BYTES:
                self._needed = PREFIX_BYTES + self._message_bytes(view[position : position + PREFIX_BYTES])
                if size - position < self._needed:
                    break
                body = bytes(view[position + PREFIX_BYTES : position + self._needed])
                messages.append(self._unpack(body) if view[position] == _COMPRESSED else body)
                position += self._needed
                self._needed = PREFIX_BYTES
        del self._buffer[:position]
        return messages

    def _message_bytes(self, prefix: memoryview) -> int:
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
