"""Logging set up on a buffer, and put back."""

from __future__ import annotations

import logging
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def log_lines() -> Iterator[StringIO]:
    """What `configure()` writes at info."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    buffer = StringIO()
    log.configure("info", buffer)
    yield buffer
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("laura_fast").setLevel(logging.NOTSET)
