"""The header blocks of answers: each read once, held against the state of its stream, told to whoever called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2.errors import ErrorCode, RefusedFieldsError
from laura_fast.wire.http2.header_assembly import HeaderAssembly
from laura_fast.wire.http2.hpack_decoder import HeaderDecoder
from laura_fast.wire.http2.stream import Input, State, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.wire.http2.hpack_table import Fields

_FIRST_FINAL_STATUS: Final = 200


class Block(Protocol):
    """What the host made of a header block; the connection needs to know three things of it."""

    status: int | None
    """HTTP status; None in trailers."""
    content_length: int | None
    ordinary: bool
    """A first block that is as nearly all are and states no length; or trailers that end a call well."""


class Receiver(Protocol):
    """Who gets the answer: `Stream.call`. No method may raise or block."""

    def opened(self, stream: Stream) -> None:
        """The request that was sent without a stream has got one: its answer is not that simple."""

    def answered(self, head: Any, message: bytes, last: Any) -> bool:
        """The whole answer, one plain message between two ordinary blocks. False to get it piece by piece instead."""

    def headed(self, block: Any) -> None:
        """The first header block; more follows."""

    def received(self, data: bytes) -> None:
        """A piece of the body. Give its bytes back with `consume` when they are done with."""

    def ended(self, block: Any, *, only: bool) -> None:
        """The last header block, the first too with `only`; None where the body just ended. The stream is gone."""

    def aborted(self, error_code: int, reason: str) -> None:
        """The stream was reset: by the peer, or by us because the answer is malformed."""

    def unprocessed(self) -> None:
        """The peer says that it has not touched the request: it may be sent again (RFC 9113 §8.7)."""


class _Unanswered:
    """Stands in `Stream.request` until the first header block is here."""

    content_length = None


UNANSWERED: Final = _Unanswered()


class AnswerBlocks(HeaderAssembly):
    """The part of a client's connection that handles complete header blocks.

    Args:
        prepare: Judges the fields of a header block; raises `RefusedFieldsError` where they are malformed.
    """

    def __init__(self, prepare: Callable[[Fields], Block]) -> None:
        super().__init__(min_ping_interval_s=0.0)  # servers ping to measure; `on_ping` bounds them
        self._prepare = prepare
        self._decoder = HeaderDecoder()
        # Valid for one generation of the decoder; the ordinary ones again as first blocks and as trailers.
        self._memo: dict[bytes, Block] = {}
        self._firsts: dict[bytes, Block] = {}
        self._lasts: dict[bytes, Block] = {}

    def _take_block(self, stream_id: int, block: bytes, *, ended: bool) -> None:
        prepared = self._memo.get(block)
        if prepared is None:
            prepared = self._read_block(stream_id, block)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._on_closed(stream_id)
        elif stream.request is UNANSWERED:
            self._take_head(stream, prepared, ended=ended)
        elif prepared.status is not None or not ended:
            raise ProtocolError("HEADERS inside a body", ErrorCode.PROTOCOL_ERROR, stream_id)
        else:
            stream.count_content(0, ended=True)
            self._end(stream, prepared, only=False)

    def _take_head(self, stream: Stream, block: Block, *, ended: bool) -> None:
        if block.status is None:
            raise ProtocolError("answer without :status", ErrorCode.PROTOCOL_ERROR, stream.stream_id)
        if block.status < _FIRST_FINAL_STATUS:
            if ended:
                raise ProtocolError("interim answer ends the stream", ErrorCode.PROTOCOL_ERROR, stream.stream_id)
            self._glitch()  # RFC 9113 §8.1: any number of them may come first
            return
        stream.request = block
        stream.content_left = block.content_length
        if ended:
            self._end(stream, block, only=True)
        else:
            stream.call.headed(block)

    def _read_block(self, stream_id: int, block: bytes) -> Block:
        """Decodes a block even where nobody waits for it, because it changes the table (RFC 9113 §4.3)."""
        decoder, memo = self._decoder, self._memo
        generation = decoder.generation
        try:
            prepared = self._prepare(decoder.decode(block))
        except RefusedFieldsError as error:
            self._forget_blocks()
            raise ProtocolError(str(error), error.error_code, stream_id) from None
        if generation != decoder.generation or len(memo) >= limits.MAX_MEMOISED_BLOCKS:
            self._forget_blocks()
        if generation == decoder.generation and len(block) <= limits.MAX_MEMOISED_BLOCK_BYTES:
            memo[block] = prepared
            if prepared.ordinary:
                (self._lasts if prepared.status is None else self._firsts)[block] = prepared
        return prepared

    def _forget_blocks(self) -> None:
        self._memo.clear()
        self._firsts.clear()
        self._lasts.clear()

    def _end(self, stream: Stream, block: Block | None, *, only: bool) -> None:
        self._close(stream, Input.END_RECEIVED)
        if stream.state is not State.CLOSED:
            self.reset_stream(stream.stream_id, ErrorCode.NO_ERROR)
        stream.call.ended(block, only=only)

    def _ended(self, stream: Stream) -> None:
        self._close(stream, Input.END_SENT)

    def _break(self, stream_id: int, error: ProtocolError) -> None:
        """Resets a stream for the peer's fault."""
        stream = self.streams.get(stream_id)
        if stream is not None:
            self.reset_stream(stream_id, error.error_code)
            stream.call.aborted(error.error_code, str(error))

    def _on_closed(self, stream_id: int) -> None:
        """A frame on a stream that is gone: we reset it, and the peer did not know yet."""
        self._require_not_idle(stream_id, "frame")
        self._glitch()
