"""The native channel: `grpc.aio.Channel` on the project's own HTTP/2 core.

The path of a unary call: `kinds` (the stub's call) → `pool` (which connection) → `link` (one write per turn of the
loop) → `laura_fast.wire.http2.client` (frames) → back to `responses`, which settles the call in the frame loop.
"""

from laura_fast.transport.native.channel.channel import NativeChannel, insecure_channel, secure_channel

__all__ = ["NativeChannel", "insecure_channel", "secure_channel"]
