"""Interchangeable gRPC transports behind the interface of grpc.aio.Server."""
