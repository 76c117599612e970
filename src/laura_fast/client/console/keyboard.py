"""Keys as they are pressed, on the event loop."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SEQUENCES: Final = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[5~": "page-up",
    b"\x1b[6~": "page-down",
    b"\x1b[H": "home",
    b"\x1b[F": "end",
    b"k": "up",
    b"j": "down",
    b" ": "page-down",
    b"g": "home",
    b"G": "end",
    b"\x1b": "quit",
    b"q": "quit",
    b"Q": "quit",
    b"\x03": "quit",
    b"s": "sort",
}
_READ_BYTES: Final = 64


def keys_in(read: bytes) -> list[str]:
    """Names of the known keys in what a terminal sent at once; others are skipped."""
    found, at = [], 0
    while at < len(read):
        longest = max((key for key in _SEQUENCES if read.startswith(key, at)), key=len, default=None)
        if longest:
            found.append(_SEQUENCES[longest])
        at += len(longest or b"?")
    return found


@contextmanager
def keys(descriptor: int, pressed: Callable[[str], None]) -> Iterator[None]:
    """Calls `pressed` with each key; the terminal is as it was afterwards."""
    loop, before = asyncio.get_running_loop(), termios.tcgetattr(descriptor)

    def readable() -> None:
        read = os.read(descriptor, _READ_BYTES)
        for key in keys_in(read) if read else ["quit"]:  # the terminal is gone
            pressed(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, readable)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
