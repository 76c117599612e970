"""Logging set up on a buffer, and put back."""

from tests.unit.observability.conftest import log_lines

__all__ = ["log_lines"]
