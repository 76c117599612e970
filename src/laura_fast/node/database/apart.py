"""Work that may be too long for the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from laura_fast.limits import database as limits

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


async def apart(size: int, work: Callable[[], Value]) -> Value:
    """Does work whose time grows with the `size` bytes of a request: at once, or on a thread where that takes long."""
    return work() if size <= limits.LOOP_BYTES else await asyncio.to_thread(work)
