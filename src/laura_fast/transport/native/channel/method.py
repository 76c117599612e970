"""What a channel knows about one method of a stub, and what a caller says about one call of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.limits import transport as limits
from laura_fast.wire.grpc.request_blocks import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.transport.native.channel.pool import Pool
    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.http2.hpack_table import Field


class Method:
    """One method, prepared for its calls.

    Attributes:
        path: `/service/method`.
        pool: The connections.
        deadlines: The pool's, nearer at hand.
        max_send_bytes: Longest request.
        max_receive_bytes: Longest answer.
        serialise: Makes bytes of a request.
        parse: Makes an answer of bytes.
    """

    __slots__ = (
        "_user_agent",
        "deadlines",
        "max_receive_bytes",
        "max_send_bytes",
        "parse",
        "path",
        "pool",
        "serialise",
    )

    def __init__(
        self,
        path: str,
        pool: Pool,
        serialise: Callable[[Any], bytes] | None,
        parse: Callable[[bytes], Any] | None,
        user_agent: str,
    ) -> None:
        self.path = path
        self.pool = pool
        self.deadlines = pool.deadlines
        self.max_send_bytes = pool.options.max_send_bytes
        self.max_receive_bytes = pool.options.max_receive_bytes
        self.serialise = serialise or same
        self.parse = parse or same
        self._user_agent = user_agent

    def route(self, codec: Codec | None) -> Route:
        """The header fields of its calls with this compression, the same for all stubs of the channel."""
        routes = self.pool.routes
        route = routes.get((self.path, codec))
        if route is None:
            if len(routes) >= limits.MAX_PREPARED:
                routes.clear()
            options, context = self.pool.options, self.pool.context
            authority = options.authority or options.server_name or self.pool.target.authority
            scheme = "http" if context is None else "https"
            route = routes[self.path, codec] = Route(self.path, authority, scheme, self._user_agent, codec)
        return route

    def at(self, path: str | bytes) -> Method:
        """This method, or the one that an interceptor put in its place."""
        name = path.decode() if isinstance(path, bytes) else path
        if name == self.path:
            return self
        return Method(name, self.pool, self.serialise, self.parse, self._user_agent)


@dataclass(slots=True)
class CallOptions:
    """What the caller said about one call. Nobody changes it; frozen, it would be slow to make.

    Attributes:
        timeout_s: From now to its deadline; None = none.
        fields: Its metadata, encoded.
        waits_for_ready: It outlives failed connection attempts (gRPC wait-for-ready.md).
        route: What all calls of its method say; also how its messages are packed.
    """

    timeout_s: float | None
    fields: Sequence[Field]
    waits_for_ready: bool
    route: Route


def same(message: Any) -> Any:
    """Serialises and parses for stubs that send and get bytes."""
    return message
