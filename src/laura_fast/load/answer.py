"""One call on the general way: the receiver of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import Code
from laura_fast.wire.grpc.response import NO_TRAILERS
from laura_fast.wire.grpc.status import code_for_reset

if TYPE_CHECKING:
    from laura_fast.load.calls import Method
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.connection import Connection
    from laura_fast.wire.http2.stream import Stream


class Answer:
    """See `laura_fast.wire.http2.answer_blocks.Receiver`.

    Attributes:
        stream: Set as soon as there is one.
    """

    __slots__ = ("_connection", "_intended", "_method", "_pieces", "_problem", "stream")

    def __init__(self, connection: Connection, method: Method, intended: float) -> None:
        self.stream: Stream | None = None
        self._connection = connection
        self._method = method
        self._intended = intended
        self._pieces: list[bytes] = []
        self._problem: Code | None = None

    def opened(self, stream: Stream) -> None:
        self.stream = stream

    def answered(self, _head: ResponseBlock, _message: bytes, _last: ResponseBlock) -> bool:
        return False  # `LoadConnection` takes whole answers by itself

    def headed(self, block: ResponseBlock) -> None:
        self._problem = block.problem[0] if block.problem else None

    def received(self, data: bytes) -> None:
        self._pieces.append(data)
        if self.stream is not None:
            self._connection.consume(self.stream, len(data))

    def ended(self, block: ResponseBlock | None, *, only: bool) -> None:  # noqa: ARG002  # an answer without a message is wrong
        code = self._problem or (NO_TRAILERS if block is None else block.outcome or NO_TRAILERS)[0]
        if code is not Code.OK:
            self.fail(code.name)
        elif self._method.is_right(b"".join(self._pieces)):
            self._method.done.append(self._intended)
        else:
            self._method.wrong()

    def aborted(self, error_code: int, reason: str) -> None:  # noqa: ARG002  # counted by status
        self.fail(code_for_reset(error_code).name)

    def unprocessed(self) -> None:
        self.fail(Code.UNAVAILABLE.name)

    def fail(self, status: str) -> None:
        """The call is over without an answer."""
        self._method.failures[status] += 1
