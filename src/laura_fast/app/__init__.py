"""The composition root: the only place that picks transport, storage and clock, and wires them."""

from laura_fast.app.server import Server

__all__ = ["Server"]
