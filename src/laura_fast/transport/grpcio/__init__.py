"""The transport of grpcio: C-core under grpc.aio."""
