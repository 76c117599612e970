"""The transport over gRPC's C-core, through grpc.aio.

How each setting is kept:

===================== ================================================================================================
setting               kept by
===================== ================================================================================================
max_connections       C-core: the connection is accepted and closed at once. Connections still in their handshake count.
max_concurrent_rpcs   C-core: SETTINGS_MAX_CONCURRENT_STREAMS; excess waits at the client.
max_total_rpcs        grpc.aio: RESOURCE_EXHAUSTED at the call's headers. Such a call is not reported to the observer.
max_message_bytes     C-core, both ways: RESOURCE_EXHAUSTED at the length prefix, before the message is in memory.
connection_timeout_ms C-core: accept → TLS handshake → client preface and SETTINGS, else closed.
request_timeout_ms    Here, around unary handlers: the handler is cancelled, the caller gets DEADLINE_EXCEEDED. The time
                      starts when the request message is complete; C-core has no limit on how long it may take to come.
keepalive_*           C-core: a PING after `interval` without a received frame; no answer within `timeout` closes.
                      `grpc.keepalive_timeout_ms` alone does not do that: `grpc.http2.ping_timeout_ms` does.
min_ping_interval_ms  C-core: two faster pings are forgiven, the next gets GOAWAY ENHANCE_YOUR_CALM "too_many_pings".
TLS                   C-core (BoringSSL), files through `transport.tls`, asked for anew at each handshake.
===================== ================================================================================================

What it can't: take an `ssl.SSLContext` (key material goes in as PEM); tell the unauthenticated connections of one
address apart (max_unauthenticated_per_address); stop accepting before the last descriptor is gone; limit idle
connections, stream resets or control frames beyond C-core's own constants; drive `@inline` handlers without a task.
Calls to methods that don't exist are answered UNIMPLEMENTED by grpc.aio and not reported, so that nobody can grow the
set of metric labels.
"""

from laura_fast.transport.grpcio.server import GrpcioServer, create_server

__all__ = ["GrpcioServer", "create_server"]
