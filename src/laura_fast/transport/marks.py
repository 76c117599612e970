"""What a handler may say about itself, for transports that can make use of it; the others run it like any handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from laura_fast.errors import RpcError

    Context = grpc.aio.ServicerContext[Any, Any]
    End = Callable[[RpcError], None]

INLINE: Final = "__laura_fast_inline__"
"""On coroutine functions that never suspend: the `Inline` that does the same work without a task."""

EXCHANGE: Final = "__laura_fast_exchange__"
"""On behaviours of bidirectional streams that answer each request at once: the `Exchanges` that do the same work."""


class Inline(NamedTuple):
    """How a transport answers calls of one unary method where it reads the request."""

    answer: Callable[[Any, Context], Any]
    """From the request to the answer, a message or its bytes. Never waits. May raise RpcError."""
    explain: Callable[[Context, RpcError], None]
    """Puts an error's details into the call's trailing metadata."""


class Exchange(Protocol):
    """One stream on which each request has one answer, at once."""

    def answer(self, request: Any) -> Any:
        """The answer, a message or its bytes. Never waits.

        Raises:
            RpcError: Ends the stream.
        """

    def close(self) -> None:
        """The stream is over, for whatever reason. Called once."""


class Exchanges(NamedTuple):
    """How a transport runs streams of one method by itself."""

    open: Callable[[Context, End], Exchange]
    """A stream began; the function given ends it with an error at any time later. May raise RpcError."""
    explain: Callable[[Context, RpcError], None]
    """Puts an error's details into the call's trailing metadata."""
