"""Logs, metrics and the HTTP side port: what an operator sees of a running server."""
