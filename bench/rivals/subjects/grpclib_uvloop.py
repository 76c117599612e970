"""grpclib on uvloop: gRPC without C beneath it, but for the event loop and the messages."""

from bench.rivals.subjects.python import python_rival

RIVAL = python_rival(
    "grpclib", "grpclib on uvloop", "grpclib_uvloop", ("grpclib", "h2", "uvloop", "protobuf"),
    caveat="HTTP/2 in pure Python.",
)  # fmt: skip
