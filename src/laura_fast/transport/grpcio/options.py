"""`TransportSettings` as channel arguments of gRPC C-core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.limits import http2 as limits

if TYPE_CHECKING:
    from laura_fast.transport.settings import TransportSettings


def channel_arguments(settings: TransportSettings) -> list[tuple[str, int]]:
    """Every limit that C-core enforces itself. Times are milliseconds, as in the settings."""
    return [
        # Off, a second server on the port fails to bind; on, the kernel would split the clients between the two.
        ("grpc.so_reuseport", 0),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.max_concurrent_streams", settings.max_concurrent_rpcs),
        # On, it counts streams whose answer is sent but whose call object still lives, and refuses honest clients: 64
        # calls in flight under a limit of 100 get REFUSED_STREAM within seconds.
        ("grpc.http.overload_protection", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_metadata_size", limits.MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", limits.MAX_METADATA_BYTES),
        ("grpc.server_handshake_timeout_ms", settings.connection_timeout_ms),
        ("grpc.keepalive_time_ms", settings.keepalive_interval_ms),
        ("grpc.keepalive_timeout_ms", settings.keepalive_timeout_ms),
        # What really closes a peer that stays silent after a ping; its default of a minute ignores the line above.
        ("grpc.http2.ping_timeout_ms", settings.keepalive_timeout_ms),
        # Without this C-core allows an idle client one ping in two hours, whatever the interval below says.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", settings.min_ping_interval_ms),
        ("grpc.http2.max_ping_strikes", limits.MAX_PING_STRIKES),
    ]
