"""A bidirectional stream whose requests are answered where they are read, without a task.

Paid for by bench.transport: a task, a future and two generators per message cost more than everything else together.
Held to the same results as the generator that other transports run by tests/properties/test_exchange_differential.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import RpcError
from laura_fast.limits import transport as limits
from laura_fast.transport.malformed import malformed
from laura_fast.transport.native.calls import Call
from laura_fast.transport.native.running import spawn
from laura_fast.wire.grpc.framing import PREFIX, PREFIX_BYTES

if TYPE_CHECKING:
    import asyncio

    from laura_fast.transport.marks import Exchange
    from laura_fast.transport.native.context import Context
    from laura_fast.transport.native.hosting import Host
    from laura_fast.transport.native.requests import Request
    from laura_fast.wire.http2.stream import Stream

_read_prefix = PREFIX.unpack_from


class ExchangeCall(Call):
    """One stream. While the client leaves answers unread, its requests stay in the inbox, within its window."""

    __slots__ = ("_exchange", "_parse", "_pause", "_reply", "_waiting")

    def __init__(self, host: Host, stream: Stream, request: Request, context: Context | None = None) -> None:
        super().__init__(host, stream, request, context)
        method = self.method
        assert method is not None, "only calls of such methods come here"  # noqa: S101
        self._parse = method.parse
        self._exchange: Exchange | None = None
        self._waiting = False  # for room
        self._pause: asyncio.Task[None] | None = None

    def begin(self) -> None:
        method = self.method
        assert method is not None  # noqa: S101  # only such methods come here
        assert method.exchanges is not None  # noqa: S101
        self.known(method)
        self.context.add_done_callback(self._ended)
        try:
            self._exchange = exchange = method.exchanges.open(self.context, self._end_with)
            self._reply = exchange.answer
        except Exception as error:  # noqa: BLE001  # any bug in a handler ends its call only
            self._fail(error)

    def feed(self, data: bytes) -> None:
        inbox, size = self._inbox, len(data)
        answered = self._answer_whole(data, size) if inbox is None or inbox.empty else 0
        if answered:
            self.host.machine.consume(self.stream, answered)
        if answered < size:
            super().feed(data[answered:])
            self._answer_held()

    def feed_end(self) -> None:
        self.inbox.feed_end()
        self._answer_held()

    def _answer_whole(self, data: bytes, size: int) -> int:
        """Answers the plain messages that `data` begins with; how many octets they were."""
        position, longest = 0, self.host.longest
        while size - position >= PREFIX_BYTES and self._may_answer():
            compressed, length = _read_prefix(data, position)
            end = position + PREFIX_BYTES + length
            if end > size or compressed or length > longest:
                break
            self._answer(data[position + PREFIX_BYTES : end])
            position = end
        return position

    def _answer_held(self) -> None:
        inbox = self.inbox
        try:
            while self._may_answer():
                raw = inbox.take()
                if raw is not None:
                    self._answer(raw)
                    continue
                if inbox.ended:
                    inbox.finish()
                    self.succeed(None)
                return
        except RpcError as error:
            self.end(error.code, error.message)

    def _may_answer(self) -> bool:
        if self.over or self._waiting:
            return False
        if self.host.machine.queued > limits.CONNECTION_QUEUE_BYTES:
            self._waiting = True
            self._pause = spawn(self.host.loop, self._after_room())
            return False
        return True

    def _answer(self, raw: bytes) -> None:
        try:
            request = self._parse(raw)
        except Exception as error:  # noqa: BLE001  # parsers of any kind
            self._fail(malformed(error))
            return
        try:
            room = self._send(self._reply(request))
        except Exception as error:  # noqa: BLE001  # any bug in a handler ends its call only
            self._fail(error)
            return
        if not room:
            self._waiting = True
            self.stream.on_room = self._go_on

    async def _after_room(self) -> None:
        await self.host.room()
        self._go_on()

    def _go_on(self) -> None:
        self._waiting = False
        self._answer_held()
        self.host.flush_soon()

    def _end_with(self, error: RpcError) -> None:
        if not self.over:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        assert self.method is not None  # noqa: S101  # see `begin`
        if isinstance(error, RpcError) and self.method.exchanges is not None:
            self.method.exchanges.explain(self.context, error)
        self.fail(error)

    def _ended(self, _: Context) -> None:
        if self._exchange is not None:
            self._exchange.close()
        if self._pause is not None:
            self._pause.cancel()
