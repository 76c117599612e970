"""Sans-I/O protocols: bytes in, events and bytes out."""
