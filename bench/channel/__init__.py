"""What a unary call costs the client: the native channel against grpc.aio's, on one and the same server."""
