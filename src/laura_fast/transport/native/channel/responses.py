"""The answer's half of calls: exactly one message, or a stream of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code, RpcError
from laura_fast.transport.native.channel.call import ClientCall
from laura_fast.transport.native.channel.dropped import Listener
from laura_fast.transport.native.inbox import Inbox
from laura_fast.wire.grpc.framing import PREFIX_BYTES, Deframer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.answer_blocks import Receiver

_WRONG_COUNT = "the method answers with one message, the server sent {}"
"""gRPC statuscodes.md, "Response cardinality violation": UNIMPLEMENTED."""


_OK: Final = Code.OK


class _Buffered(ClientCall):
    """Bytes that arrived and were not read yet."""

    __slots__ = ()

    def _take_inbox(self) -> Inbox:
        if self._inbox is None:
            assert self._link is not None  # noqa: S101  # bytes come from a connection
            assert self.stream is not None  # noqa: S101
            codec = self._head.codec if self._head else None
            deframer = Deframer(self._method.max_receive_bytes, codec)
            self._inbox = Inbox(self._link, self.stream, deframer)  # type: ignore[arg-type]  # has what it uses of a host
        return self._inbox

    def _finish(self, code: Code, details: str, last: ResponseBlock | None = None) -> None:
        super()._finish(code, details, last)
        inbox = self._inbox
        if inbox is not None:
            if last is None:
                inbox.close()
            elif self._link is not None:
                self._link.assembly.leave(inbox)
            inbox.feed_end()


class OneResponse(_Buffered):
    """Ends with one message.

    A message that is one frame, as nearly all are, is kept as it came: paid for by bench.transport.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Any]:
        if self._code is None:
            try:
                if self._awaited is None:
                    self._awaited = self._loop.create_future()
                    yield from self._awaited
                else:
                    yield from self._over().__await__()
            except BaseException:
                self.cancel()
                raise
        if self._code is not _OK:
            self._raise_for_status()
        return self._response

    def received(self, data: bytes) -> None:
        if self._message is not None:
            self._finish(Code.UNIMPLEMENTED, _WRONG_COUNT.format("more"))
        elif self._inbox is None and self._is_whole(data):
            assert self._link is not None  # noqa: S101  # bytes come from a connection
            assert self.stream is not None  # noqa: S101
            self._message = data[PREFIX_BYTES:]
            self._link.machine.consume(self.stream, len(data))
        else:
            self._buffer(data)

    def _is_whole(self, data: bytes) -> bool:
        size = len(data) - PREFIX_BYTES
        if size < 0 or size > self._method.max_receive_bytes:
            return False
        return not data[0] and int.from_bytes(data[1:PREFIX_BYTES], "big") == size

    def _buffer(self, data: bytes) -> None:
        inbox = self._take_inbox()
        inbox.single = True
        try:
            inbox.feed(data)
        except RpcError as error:
            self._refuse(error)

    def _succeed(self, block: ResponseBlock) -> None:
        try:
            message = self._inbox.take_only() if self._inbox is not None else self._message
        except RpcError as error:
            self._refuse(error)
            return
        if message is None:
            self._finish(Code.UNIMPLEMENTED, _WRONG_COUNT.format("none"), block)
            return
        try:
            self._response = self._method.parse(message)
        except Exception as error:  # noqa: BLE001  # whatever a parser raises, the answer is no such message
            self._finish(Code.INTERNAL, f"the answer can't be parsed: {error}", block)
            return
        self._finish(*block.outcome, block)

    def _refuse(self, error: RpcError) -> None:
        text = _WRONG_COUNT.format("more") if error.reason == "WRONG_MESSAGE_COUNT" else error.message
        self._finish(error.code, text)


class ManyResponses(_Buffered):
    """Ends behind any number of messages. They are cut out, and the server's window widened, when they are read.

    Dropped before its end, it is cancelled, as grpc.aio's calls are.
    """

    def __del__(self) -> None:
        loop = getattr(self, "_loop", None)  # None: there was no event loop to begin in
        if loop is not None and self._code is None and not loop.is_closed():
            # Rubbish is collected in any thread.
            loop.call_soon_threadsafe(self._finish, Code.CANCELLED, "the call was dropped")

    def _receiver(self) -> Receiver:
        return Listener(self)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._responses()

    async def _responses(self) -> AsyncIterator[Any]:
        while (response := await self._read()) is not grpc.aio.EOF:
            yield response

    async def read(self) -> Any:
        """The next answer, `grpc.aio.EOF` behind the last.

        Raises:
            AioRpcError: The call ended with another status than OK, behind the answers that came before.
        """
        return await self._read()

    async def _read(self) -> Any:
        while self._inbox is None and self._code is None:
            await self._change()
        try:
            raw = await self._inbox.next() if self._inbox is not None else None
            if raw is not None:
                return self._method.parse(raw)
        except RpcError as error:
            self._overrule(error.code, error.message)
        except Exception as error:  # noqa: BLE001  # whatever a parser raises, the answer is no such message
            self._overrule(Code.INTERNAL, f"the answer can't be parsed: {error}")
        await self._over()
        self._raise_for_status()
        return grpc.aio.EOF

    def received(self, data: bytes) -> None:
        inbox = self._take_inbox()
        try:
            inbox.feed(data)
        except RpcError:
            # Told to the reader, behind the messages before it.
            inbox.feed_end()
        if self._waiters:
            self._wake()

    def _overrule(self, code: Code, details: str) -> None:
        """The server may have said OK, but what it sent is broken."""
        if self._code is Code.OK:
            self._code, self._details = code, details
        else:
            self._finish(code, details)
