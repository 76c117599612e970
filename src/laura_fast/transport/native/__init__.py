"""The native transport: gRPC over HTTP/2 in Python on uvloop, with the interface of grpc.aio.Server.

The path of a call: `accepting` → `newcomers` (handshakes) → `protocol` (bytes in, bytes out) →
`laura_fast.wire.http2.server` (frames) → `requests` (what a header block means) → the handler: called where the
request is read (`hosting` for unary methods, `exchanging` for streams, where `laura_fast.transport.marks` says that it
never waits), or in a task (`calls`, `running`).

`create_server` takes this project's settings; `server` is `grpc.aio.server` by its own signature.

How it differs from the grpcio transport:

===================== ================================================================================================
setting               kept by
===================== ================================================================================================
max_connections       `admission`: closed right after accept; TLS handshakes in progress count.
max_unauthenticated_  `admission`: until a client certificate is verified, or preface and SETTINGS are here. More of
per_address           one address (of one /64 in IPv6) wait unread, for two connection timeouts. Not for Unix sockets.
max_concurrent_rpcs   SETTINGS_MAX_CONCURRENT_STREAMS; excess streams are refused, handlers of reset streams count.
max_total_rpcs        `protocol`: RESOURCE_EXHAUSTED at the call's headers; not reported to the observer.
max_message_bytes     Both ways, at the length prefix and while inflating: RESOURCE_EXHAUSTED.
connection_timeout_ms TLS handshake, and accept → SETTINGS: closed.
request_timeout_ms    Unary methods, from the headers on, so a body that never comes counts: DEADLINE_EXCEEDED.
keepalive_*           `sweeping`: a PING after `interval` without a byte; silence for `timeout` after it closes.
min_ping_interval_ms  Two faster pings are forgiven, the next gets GOAWAY ENHANCE_YOUR_CALM "too_many_pings".
TLS                   `ssl.SSLContext`, `TlsFiles` or `TlsMaterial`; the newest for each new connection. Not
                      `grpc.ServerCredentials`, which are opaque.
===================== ================================================================================================

Beyond grpcio: accepting pauses while the process is short of descriptors; rate limits on resets, control frames and
empty frames; limits on header blocks and half frames; idle connections end after five minutes; handlers marked inline
run without a task; maximum connection age.
"""

from laura_fast.transport.native.drop_in import server
from laura_fast.transport.native.server import NativeServer, create_server

__all__ = ["NativeServer", "create_server", "server"]
