"""The native transport: gRPC over HTTP/2 in Python on uvloop."""
