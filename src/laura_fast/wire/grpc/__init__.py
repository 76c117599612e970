"""What gRPC adds to HTTP/2: message framing, metadata, status, deadlines."""
