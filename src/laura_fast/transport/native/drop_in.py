"""`grpc.aio.server` by its own signature, for programs that were written against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.transport.native.server import NativeServer, create_server
from laura_fast.transport.settings import TransportSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import grpc

_UNLIMITED: Final = 2**31 - 1
_FIELD_OF: Final = {
    "grpc.max_allowed_incoming_connections": "max_connections",
    "grpc.max_concurrent_streams": "max_concurrent_rpcs",
    "grpc.max_receive_message_length": "max_message_bytes",
    "grpc.server_handshake_timeout_ms": "connection_timeout_ms",
    "grpc.keepalive_time_ms": "keepalive_interval_ms",
    "grpc.keepalive_timeout_ms": "keepalive_timeout_ms",
    "grpc.http2.min_recv_ping_interval_without_data_ms": "min_ping_interval_ms",
}
_MAX_AGE: Final = "grpc.max_connection_age_ms"


def server(  # noqa: PLR0917  # the signature of grpc.aio.server
    migration_thread_pool: Executor | None = None,
    handlers: Sequence[grpc.GenericRpcHandler] | None = None,
    interceptors: Sequence[Any] | None = None,
    options: Sequence[tuple[str, Any]] | None = None,
    maximum_concurrent_rpcs: int | None = None,
    compression: grpc.Compression | None = None,
) -> NativeServer:
    """Makes a native server as `grpc.aio.server` makes one.

    Args:
        migration_thread_pool: Where synchronous handlers run.
        handlers: Generic handlers to begin with.
        interceptors: `grpc.aio.ServerInterceptor`s, outermost first.
        options: Channel arguments. Limits and keep-alive are obeyed; others are ignored, as C-core ignores what it
            does not know. Unlike the server's own configuration, unary handlers may run for ever.
        maximum_concurrent_rpcs: Calls in progress; more are answered RESOURCE_EXHAUSTED.
        compression: Of all answers.
    """
    given = dict(options or ())
    fields = {field: given[name] for name, field in _FIELD_OF.items() if name in given}
    limits = {"max_connections": _UNLIMITED, "request_timeout_ms": _UNLIMITED} | {
        field: value if value >= 0 else _UNLIMITED for field, value in fields.items()
    }
    made = create_server(
        TransportSettings(**limits, max_total_rpcs=maximum_concurrent_rpcs or 0),
        interceptors=tuple(interceptors or ()),
        migration_thread_pool=migration_thread_pool,
        max_connection_age_s=given[_MAX_AGE] / 1000 if _MAX_AGE in given else None,
        compression=compression,
    )
    made.add_generic_rpc_handlers(handlers or ())
    return made
