"""Method records: everything about a method that can be decided before its calls arrive."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from laura_fast.transport.malformed import malformed
from laura_fast.transport.marks import EXCHANGE, INLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import grpc

    from laura_fast.transport.marks import Exchanges, Inline
    from laura_fast.transport.settings import Recorder, RpcObserver

    Handler = grpc.RpcMethodHandler[Any, Any]


class Style(Enum):
    """How a behaviour is run."""

    COROUTINE = auto()
    GENERATOR = auto()
    """An async generator function: its items are the answers."""
    SYNC = auto()
    """A plain function or generator function: runs in the thread pool."""


class Method:
    """One method of one service.

    Attributes:
        path: `/package.Service/Method`.
        style: How `behaviour` is run.
        exchanges: How to run the method's streams without it, where that can be done.
        inline: How to answer calls without it, where that can be done.
        parse: Bytes → request message.
        serialise: Answer → bytes.
    """

    __slots__ = (
        "_recorder",
        "behaviour",
        "exchanges",
        "inline",
        "parse",
        "path",
        "request_streaming",
        "response_streaming",
        "serialise",
        "style",
    )

    def __init__(self, path: str, handler: Handler) -> None:
        self.path = path
        self._recorder: Recorder | None = None
        self.request_streaming = bool(handler.request_streaming)
        self.response_streaming = bool(handler.response_streaming)
        self.behaviour: Callable[..., Any] = _behaviour(handler)
        self.parse: Callable[[bytes], Any] = handler.request_deserializer or same
        self.serialise: Callable[[Any], bytes] = handler.response_serializer or same
        self.style = _style(self.behaviour)
        self.exchanges: Exchanges | None = getattr(self.behaviour, EXCHANGE, None)
        self.inline: Inline | None = getattr(self.behaviour, INLINE, None)

    def recorder(self, observer: RpcObserver) -> Recorder:
        """What tells the server's observer of calls that were answered at once."""
        if self._recorder is None:
            self._recorder = observer.recorder(self.path)
        return self._recorder

    @property
    def unary(self) -> bool:
        """One request, one answer."""
        return not (self.request_streaming or self.response_streaming)


def parse(method: Method, raw: bytes) -> Any:
    """The request message.

    Raises:
        InvalidArgumentError: The bytes are no such message: the peer's fault, whatever the parser raises.
    """
    try:
        return method.parse(raw)
    except Exception as error:  # noqa: BLE001  # parsers of any kind
        raise malformed(error) from None


@dataclass
class CallDetails:
    """What `grpc.HandlerCallDetails` asks for."""

    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...]


class Methods:
    """All methods of a server, found by path."""

    def __init__(self) -> None:
        self._known: dict[str, Method] = {}  # only methods that exist get in, so no peer can grow it
        self._registered: dict[str, Handler] = {}
        self._generic: list[grpc.GenericRpcHandler] = []

    def add_generic(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Adds handlers; earlier ones win."""
        self._generic += handlers

    def add_registered(self, service_name: str, handlers: Mapping[str, Handler]) -> None:
        """Adds the methods of one service; they win over generic handlers."""
        self._registered |= {f"/{service_name}/{name}": handler for name, handler in handlers.items()}

    def find(self, path: str) -> Method | None:
        """The method of this path, if it can be told from the path alone."""
        method = self._known.get(path)
        if method is None:
            handler = self._registered.get(path) or self._first(path, ())
            if handler is not None:
                method = self._known[path] = Method(path, handler)
        return method

    def handler(self, details: grpc.HandlerCallDetails) -> Handler | None:
        """The handler for one call, for interceptors."""
        found = self._registered.get(details.method)
        return found if found is not None else self._first(details.method, details.invocation_metadata)

    def _first(self, path: str, metadata: tuple[tuple[str, str | bytes], ...]) -> Handler | None:
        details = CallDetails(path, metadata)
        return next((found for handler in self._generic if (found := handler.service(details)) is not None), None)


def _behaviour(handler: Handler) -> Any:
    if handler.request_streaming:
        return handler.stream_stream if handler.response_streaming else handler.stream_unary
    return handler.unary_stream if handler.response_streaming else handler.unary_unary


def _style(behaviour: Callable[..., Any]) -> Style:
    function: Any = behaviour
    while isinstance(function, functools.partial):
        function = function.func
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        function = getattr(function, "__call__", function)  # noqa: B004  # its code is asked for, not callability
    if inspect.isasyncgenfunction(function):
        return Style.GENERATOR
    return Style.COROUTINE if inspect.iscoroutinefunction(function) else Style.SYNC


def same(message: Any) -> Any:
    """Parses and serialises for methods that take and answer bytes."""
    return message
