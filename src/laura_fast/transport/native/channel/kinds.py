"""The four kinds of calls, and what a stub calls to begin one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import grpc

from laura_fast.transport.native.channel.interceptors import (
    InterceptedStreamStream,
    InterceptedStreamUnary,
    InterceptedUnaryStream,
    InterceptedUnaryUnary,
)
from laura_fast.transport.native.channel.method import CallOptions
from laura_fast.transport.native.channel.options import CODECS
from laura_fast.transport.native.channel.requests import ManyRequests, OneRequest
from laura_fast.transport.native.channel.responses import ManyResponses, OneResponse
from laura_fast.transport.native.channel.unary import UnaryUnaryCall
from laura_fast.wire.grpc.metadata import encode_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.transport.native.channel.interceptors import Intercepted
    from laura_fast.transport.native.channel.method import Method
    from laura_fast.wire.grpc.compression import Codec


class UnaryStreamCall(OneRequest, ManyResponses, grpc.aio.UnaryStreamCall[Any, Any]):
    """One message there, many back."""


class StreamUnaryCall(ManyRequests, OneResponse, grpc.aio.StreamUnaryCall[Any, Any]):
    """Many messages there, one back."""


class StreamStreamCall(ManyRequests, ManyResponses, grpc.aio.StreamStreamCall[Any, Any]):
    """Many messages both ways, in any order."""


class Starter:
    """Begins calls of one method, through the interceptors that care for its kind.

    Attributes:
        kind: The class of its calls.
        seen: Their class where there are interceptors.
        interceptor: The class of those.
        hook: Their method.
    """

    kind: ClassVar[type[Any]]
    seen: ClassVar[type[Intercepted]]
    interceptor: ClassVar[type[grpc.aio.ClientInterceptor]]
    hook: ClassVar[str]

    def __init__(
        self, method: Method, codec: Codec | None, interceptors: Iterable[grpc.aio.ClientInterceptor] = ()
    ) -> None:
        self._method = method
        self._codec = codec
        mine = (interceptor for interceptor in interceptors if isinstance(interceptor, self.interceptor))
        self._chain = tuple(getattr(interceptor, self.hook) for interceptor in mine)

    def _begin(  # noqa: PLR0917  # what grpc.aio's callers may say
        self,
        request: Any,
        timeout: float | None,
        metadata: Any,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
        compression: grpc.Compression | None,
    ) -> Any:
        """Begins a call.

        Args:
            request: The message, or an iterable of messages for methods that take a stream, or None to write them.
            timeout: Seconds until its deadline.
            metadata: Pairs, or `grpc.aio.Metadata`.
            credentials: Not supported, as grpcio's are opaque: send them as metadata.
            wait_for_ready: Wait for a connection instead of failing with UNAVAILABLE when there is none.
            compression: Of this call; None = the channel's.

        Raises:
            InvalidMetadataError: A key or value is not allowed.
        """
        if credentials is not None:
            raise grpc.aio.UsageError("call credentials are opaque: send them as metadata")
        codec = self._codec if compression is None else CODECS[compression]
        if self._chain:
            given = grpc.aio.Metadata(*metadata) if metadata else grpc.aio.Metadata()
            details = grpc.aio.ClientCallDetails(self._method.path, timeout, given, None, wait_for_ready)
            return self.seen(self._chain, details, request, partial(self._begin_as, codec))
        fields = encode_metadata(metadata) if metadata else ()
        options = CallOptions(timeout, fields, bool(wait_for_ready), self._method.route(codec))
        return self.kind(self._method, options, request)

    def _begin_as(self, codec: Codec | None, details: grpc.aio.ClientCallDetails, request: Any) -> Any:
        """Begins what the interceptors made of a call."""
        fields = encode_metadata(details.metadata) if details.metadata else ()
        method = self._method.at(details.method)
        options = CallOptions(details.timeout, fields, bool(details.wait_for_ready), method.route(codec))
        return self.kind(method, options, request)


class _UnaryStarter(Starter):
    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        return self._begin(request, timeout, metadata, credentials, wait_for_ready, compression)


class _StreamStarter(Starter):
    def __call__(  # noqa: PLR0917  # grpc.aio's signature
        self,
        request_iterator: Any = None,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        return self._begin(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


class UnaryUnary(_UnaryStarter, grpc.aio.UnaryUnaryMultiCallable[Any, Any]):
    """Begins unary calls."""

    kind = UnaryUnaryCall
    seen = InterceptedUnaryUnary
    interceptor = grpc.aio.UnaryUnaryClientInterceptor
    hook = "intercept_unary_unary"

    def __init__(
        self, method: Method, codec: Codec | None, interceptors: Iterable[grpc.aio.ClientInterceptor] = ()
    ) -> None:
        super().__init__(method, codec, interceptors)
        self._plain = CallOptions(None, (), waits_for_ready=False, route=method.route(codec))

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Begins a call; one with nothing but a timeout, like the last one's, costs no options: see bench.channel."""
        if metadata or wait_for_ready or self._chain or credentials is not None or compression is not None:
            return self._begin(request, timeout, metadata, credentials, wait_for_ready, compression)
        if timeout != self._plain.timeout_s:
            self._plain = replace(self._plain, timeout_s=timeout)
        return UnaryUnaryCall(self._method, self._plain, request)


class UnaryStream(_UnaryStarter, grpc.aio.UnaryStreamMultiCallable[Any, Any]):
    """Begins server-streaming calls."""

    kind = UnaryStreamCall
    seen = InterceptedUnaryStream
    interceptor = grpc.aio.UnaryStreamClientInterceptor
    hook = "intercept_unary_stream"


class StreamUnary(_StreamStarter, grpc.aio.StreamUnaryMultiCallable[Any, Any]):
    """Begins client-streaming calls."""

    kind = StreamUnaryCall
    seen = InterceptedStreamUnary
    interceptor = grpc.aio.StreamUnaryClientInterceptor
    hook = "intercept_stream_unary"


class StreamStream(_StreamStarter, grpc.aio.StreamStreamMultiCallable[Any, Any]):
    """Begins bidirectional calls."""

    kind = StreamStreamCall
    seen = InterceptedStreamStream
    interceptor = grpc.aio.StreamStreamClientInterceptor
    hook = "intercept_stream_stream"
