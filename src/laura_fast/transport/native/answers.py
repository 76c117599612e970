"""Answers as bytes: header blocks that never change are encoded once, a whole small answer is one `struct.pack`."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.errors import Code
from laura_fast.limits import transport as limits
from laura_fast.wire.grpc.compression import ACCEPTED
from laura_fast.wire.grpc.framing import PREFIX
from laura_fast.wire.grpc.metadata import encode_metadata
from laura_fast.wire.grpc.status import status_fields
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.hpack_encoder import encode_constant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.http2.hpack_table import Field

    Layout = tuple[Callable[..., bytes], bytes, bytes]
    """Packs an answer; what is between its first two stream ids; and the message's prefix."""

_START: Final[tuple[Field, ...]] = (
    (b":status", b"200"),
    (b"content-type", b"application/grpc"),
    (b"grpc-accept-encoding", ACCEPTED),
)
HEADERS_BLOCK: Final = encode_constant(_START)
"""Opens every answer that has no metadata of its own."""

OK_BLOCK: Final = encode_constant([(b"grpc-status", b"0")])
"""Ends every answer that went well."""


def headers_block(initial: Iterable[tuple[str, str | bytes]], codec: Codec | None) -> bytes:
    """The first header block of an answer with its own metadata or compression."""
    fields = list(_START)
    if codec is not None:
        fields.append((b"grpc-encoding", codec.name))
    return encode_constant(fields + encode_metadata(initial))


@lru_cache(maxsize=limits.MAX_TRAILERS_KEPT)
def trailers_block(
    code: int, details: str, trailing: tuple[tuple[str, str | bytes], ...], *, only: bool = False
) -> bytes:
    """The last header block; `only` makes it a trailers-only answer.

    Paid for by bench/replication: the writes that one commit made safe all tell the same cluster time.
    """
    fields = list(_START[:2]) if only else []
    fields += status_fields(code, details)
    return encode_constant(fields + encode_metadata(trailing))


class Refusal(NamedTuple):
    """An answer without a call: a header block, a body that may be empty, and the gRPC status it stands for."""

    block: bytes
    body: bytes = b""


def refuse(code: Code, details: str) -> Refusal:
    """A trailers-only refusal. It names our encodings: the client may have used another one."""
    return Refusal(encode_constant([*_START, *status_fields(code, details)]))


def _http(code: int, text: str, *extra: Field) -> Refusal:
    body = text.encode()
    fields = [(b":status", b"%d" % code), (b"content-type", b"text/plain; charset=utf-8"), *extra]
    return Refusal(encode_constant([*fields, (b"content-length", b"%d" % len(body))]), body)


NO_SUCH_METHOD: Final = refuse(Code.UNIMPLEMENTED, "Method not found!")
TOO_MANY_CALLS: Final = refuse(Code.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
UNSUPPORTED_MEDIA_TYPE: Final = Refusal(encode_constant([(b":status", b"415")]))
METHOD_NOT_ALLOWED: Final = Refusal(encode_constant([(b":status", b"405"), (b"allow", b"POST")]))
HTTP_ANSWERS: Final = {(b"GET", b"/"): _http(200, "This is a gRPC server. Talk to it with a gRPC client.\n")}


class WholeAnswers:
    """A unary answer without metadata of its own, as one piece of bytes.

    Paid for by bench/test_heartbeat.py: the frames of an answer differ in stream id and message only, so they are
    packed by one precompiled format per message length.
    """

    def __init__(self, max_message_bytes: int) -> None:
        self.largest = min(h2.DEFAULT_FRAME_BYTES, PREFIX.size + max_message_bytes)
        """Longest message with its prefix that goes this way: one frame that every peer takes."""
        self._by_size: dict[int, Layout] = {}

    def pack(self, stream_id: int, message: bytes) -> bytes:
        """HEADERS, DATA and trailers; `message` with its prefix is at most `largest` bytes."""
        pack, middle, prefix = self.layout(len(message))
        return pack(HEADERS_HEAD, stream_id, middle, stream_id, prefix, message, OK_HEAD, stream_id, OK_BLOCK)

    def layout(self, size: int) -> Layout:
        """How to pack answers with messages of this many bytes; see `pack`."""
        return self._by_size.get(size) or self._lay_out(size)

    def _lay_out(self, size: int) -> Layout:
        if len(self._by_size) >= limits.MAX_ANSWER_LAYOUTS:
            self._by_size.clear()
        layout = struct.Struct(f">5sI{len(HEADERS_BLOCK) + 5}sI5s{size}s5sI{len(OK_BLOCK)}s")
        data_head = frames.head(size + PREFIX.size, h2.DATA, 0, 0)[:5]
        self._by_size[size] = parts = layout.pack, HEADERS_BLOCK + data_head, PREFIX.pack(0, size)
        return parts


HEADERS_HEAD: Final = frames.head(len(HEADERS_BLOCK), h2.HEADERS, h2.END_HEADERS, 0)[:5]
OK_HEAD: Final = frames.head(len(OK_BLOCK), h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 0)[:5]
"""The frame heads of the two blocks, without the stream."""
