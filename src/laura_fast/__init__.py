"""The cluster layer of LauraDB as a high-concurrency gRPC server."""

__version__ = "0.1.0"
