"""`grpc.aio.Channel` on the native core."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc import ChannelConnectivity

from laura_fast import __version__
from laura_fast.transport.native.channel.kinds import Starter, StreamStream, StreamUnary, UnaryStream, UnaryUnary
from laura_fast.transport.native.channel.method import Method
from laura_fast.transport.native.channel.options import CODECS, ChannelOptions
from laura_fast.transport.native.channel.pool import Pool
from laura_fast.transport.native.channel.target import parse_target

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    Serialise = Callable[[Any], bytes] | None
    Parse = Callable[[bytes], Any] | None

_USER_AGENT: Final = f"grpc-python-laura-fast/{__version__}"


def _maker(kind: type[Starter]) -> Any:
    """The channel's method that makes what stubs call for methods of this kind."""

    def make(
        self: NativeChannel,
        method: str,
        request_serializer: Serialise = None,
        response_deserializer: Parse = None,
        _registered_method: bool | None = False,
    ) -> Starter:
        prepared = Method(method, self._pool, request_serializer, response_deserializer, self._user_agent)
        return kind(prepared, self._codec, self._interceptors)

    return make


class NativeChannel(grpc.aio.Channel):
    """A channel that connects at its first call, and again whenever a call needs it."""

    def __init__(
        self,
        target: str,
        options: ChannelOptions,
        context: ssl.SSLContext | None,
        compression: grpc.Compression | None,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    ) -> None:
        self._pool = Pool(parse_target(target), options, context)
        self._codec = CODECS[compression or grpc.Compression.NoCompression]
        self._interceptors = tuple(interceptors)
        self._user_agent = f"{options.user_agent} {_USER_AGENT}".strip()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        calls = self._pool.unfinished()
        if grace and calls:
            await asyncio.wait([asyncio.ensure_future(call.code()) for call in calls], timeout=grace)
        self._pool.close()
        await self._pool.wait_closed()

    def get_state(self, try_to_connect: bool = False) -> ChannelConnectivity:
        if try_to_connect and self._pool.state is ChannelConnectivity.IDLE:
            self._pool.connect()
        return self._pool.state

    async def wait_for_state_change(self, last_observed_state: ChannelConnectivity) -> None:
        await self._pool.wait_for_change(last_observed_state)

    async def channel_ready(self) -> None:
        while (state := self.get_state(try_to_connect=True)) is not ChannelConnectivity.READY:
            await self._pool.wait_for_change(state)

    unary_unary = _maker(UnaryUnary)
    unary_stream = _maker(UnaryStream)
    stream_unary = _maker(StreamUnary)
    stream_stream = _maker(StreamStream)


def insecure_channel(
    target: str,
    options: Iterable[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
    interceptors: Sequence[grpc.aio.ClientInterceptor] | None = None,
) -> grpc.aio.Channel:
    """A channel in plain text; `grpc.aio.insecure_channel` by its own signature.

    Args:
        target: ``host:port`` or ``unix:path``.
        options: `grpc.*` arguments; see `ChannelOptions`.
        compression: Of calls that choose none.
        interceptors: `grpc.aio` client interceptors, outermost first.

    Raises:
        ConfigError: The target can't be read.
    """
    return NativeChannel(target, ChannelOptions.of(options), None, compression, interceptors or ())


def secure_channel(
    target: str,
    ssl_context: ssl.SSLContext,
    options: Iterable[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
    interceptors: Sequence[grpc.aio.ClientInterceptor] | None = None,
) -> grpc.aio.Channel:
    """A channel over TLS.

    Args:
        target: ``host:port`` or ``unix:path``.
        ssl_context: Whom to trust, and who we are (mTLS); see `tls_policy.client_context`. It gets ALPN h2. The
            server's certificate must name the host, or `grpc.ssl_target_name_override`.
        options: `grpc.*` arguments; see `ChannelOptions`.
        compression: Of calls that choose none.
        interceptors: `grpc.aio` client interceptors, outermost first.

    Raises:
        ConfigError: The target can't be read.
    """
    ssl_context.set_alpn_protocols(["h2"])
    return NativeChannel(target, ChannelOptions.of(options), ssl_context, compression, interceptors or ())
