"""The request side of a call: bytes that arrived and were not read yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from laura_fast.errors import UnimplementedError
from laura_fast.limits import transport as limits

if TYPE_CHECKING:
    import asyncio

    from laura_fast.transport.native.hosting import Host
    from laura_fast.wire.grpc.framing import Deframer
    from laura_fast.wire.http2.stream import Stream


class Inbox:
    """Cuts messages out only when they are read, and gives their bytes back to the peer's window only then.

    So a handler that does not read stops its peer, and what is held is one window of bytes: not thousands of empty
    messages, each an object, nor dozens of compressed ones, each inflated.

    Attributes:
        single: The method takes one message: its bytes are given back as they come, a second one ends the call.
        ended: The peer half-closed.
    """

    __slots__ = (
        "_closed",
        "_deframer",
        "_held",
        "_host",
        "_reader",
        "_received",
        "_stream",
        "_watched_since",
        "ended",
        "single",
    )

    def __init__(self, host: Host, stream: Stream, deframer: Deframer) -> None:
        self.single = False
        self.ended = False
        self._host = host
        self._stream = stream
        self._deframer = deframer
        self._closed = False
        self._held = 0  # bytes not given back yet
        self._received = 0
        self._watched_since: tuple[float, int] | None = None  # a time, and `_received` then
        self._reader: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """A piece of the body.

        Raises:
            RpcError: The prefix of the next message is not acceptable, or there are too many messages.
        """
        self._held += len(data)
        self._received += len(data)
        if self._closed:
            self._give_back(self._held)
            return
        self._deframer.push(data)
        if self.single and self._deframer.surplus_bytes:
            raise _wrong_count("more")
        if self.single or not self._deframer.has_message:
            self.give_back()
        else:
            self._host.assembly.allows(self, 0)
            self._watched_since = None  # a message is whole: what is behind it has only begun
        self._wake()

    def feed_end(self) -> None:
        """The body is complete."""
        self.ended = True
        self._wake()

    def close(self) -> None:
        """Nobody will read any more."""
        self._closed = True
        self._deframer.clear()
        self._host.assembly.leave(self)

    def take_only(self) -> bytes:
        """The one message of a body that is complete.

        Raises:
            RpcError: It is not exactly one (gRPC statuscodes.md: UNIMPLEMENTED), or it is broken.
        """
        message = self._deframer.pop()
        if self._deframer.has_message:
            raise _wrong_count("more")
        self._deframer.finish()
        if message is None:
            raise _wrong_count("none")
        return message

    async def next(self) -> bytes | None:
        """The next message, None behind the last.

        Raises:
            RpcError: The message is broken, or the body ends inside it.
        """
        while (message := self.take()) is None:
            if self.ended:
                self.finish()
                return None
            await self.wait()
        return message

    def finish(self) -> None:
        """Everything was taken.

        Raises:
            RpcError: The body ends inside a message.
        """
        self._deframer.finish()

    @property
    def empty(self) -> bool:
        """Nothing waits to be taken."""
        return not self._deframer.held_bytes

    async def wait(self) -> None:
        """Until there is a message, or the end."""
        if self._reader is not None:
            raise grpc.aio.UsageError("only one read at a time")
        self._reader = self._host.loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def take(self) -> bytes | None:
        """The next message if it is here; its bytes go back to the peer's window.

        Raises:
            RpcError: It is broken.
        """
        deframer = self._deframer
        message = deframer.pop()
        if message is not None:
            if deframer.has_message:
                self._give_back(max(0, self._held - deframer.held_bytes))
            else:
                self.give_back()
        return message

    def _wake(self) -> None:
        reader = self._reader
        if reader is not None and (self.ended or self._deframer.has_message) and not reader.done():
            reader.set_result(None)

    def dribbles(self, now: float) -> bool:
        """Whether a message that has begun comes too slowly, though its peer may send; kept by asking regularly.

        Args:
            now: Seconds.
        """
        if self.ended or not self._deframer.missing_bytes or self._stream.receive_window <= 0:
            self._watched_since = None
            return False
        since, before = self._watched_since = self._watched_since or (now, self._received)
        if now - since < limits.BODY_S:
            return False
        self._watched_since = now, self._received
        return self._received - before < limits.BODY_BYTES_PER_SECOND * (now - since)

    def give_back(self) -> None:
        """Gives back everything: an incomplete message can't be read yet, and its peer must be able to complete it."""
        missing = self._deframer.missing_bytes
        if self._host.assembly.allows(self, self._deframer.held_bytes if missing else 0):
            self._give_back(self._held, missing)

    def _give_back(self, size: int, missing: int = 0) -> None:
        """Widens the stream's window, also by what a message larger than the window is still `missing`."""
        self._held -= size
        machine, stream = self._host.machine, self._stream
        if size:
            machine.consume(stream, size)
            self._host.flush_soon()
        if missing and not (self._closed or self.ended):
            wanted = min(missing, limits.MESSAGE_WINDOW_BYTES) - stream.receive_window
            if wanted > 0:
                machine.grant(stream, wanted)


class Assembly:
    """Bounds what a connection's incomplete messages hold together.

    Beyond the limit only one of them goes on growing, until it is complete; then the next. So a hundred streams that
    each announce a large message hold one large message and a hundred small windows.
    """

    __slots__ = ("_bytes", "_favourite", "_sizes", "_waiting")

    def __init__(self) -> None:
        self._bytes = 0
        self._sizes: dict[Inbox, int] = {}
        self._favourite: Inbox | None = None
        self._waiting: dict[Inbox, None] = {}

    def allows(self, inbox: Inbox, size: int) -> bool:
        """Whether `inbox`, whose incomplete message has `size` bytes, may ask for more; later it is asked again."""
        if size or inbox in self._sizes:
            self._set(inbox, size)
        if not size or self._bytes <= limits.ASSEMBLY_BYTES:
            return True
        if self._favourite is None:
            self._favourite = inbox
        if self._favourite is not inbox:
            self._waiting[inbox] = None
        return self._favourite is inbox

    def leave(self, inbox: Inbox) -> None:
        """The call of `inbox` is over."""
        self._waiting.pop(inbox, None)
        self._set(inbox, 0)

    def _set(self, inbox: Inbox, size: int) -> None:
        before = self._sizes.pop(inbox, 0)
        self._bytes += size - before
        if size:
            self._sizes[inbox] = size
        elif before:
            if self._favourite is inbox:
                self._favourite = None
            self._let_go_on()

    def _let_go_on(self) -> None:
        while self._waiting and (self._favourite is None or self._bytes <= limits.ASSEMBLY_BYTES):
            inbox = next(iter(self._waiting))
            del self._waiting[inbox]
            inbox.give_back()


def _wrong_count(count: str) -> UnimplementedError:
    return UnimplementedError(f"the method takes one request message, got {count}", "WRONG_MESSAGE_COUNT")
