"""Notifications to the service manager (sd_notify(3)): one datagram each, nothing without systemd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

MICROSECONDS = 1_000_000


def notify(state: str) -> None:
    """Sends `state`, for example READY=1. A manager that does not listen is not our problem."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out, contextlib.suppress(OSError):
        out.sendto(state.encode(), address)


async def keep_watchdog_fed() -> None:
    """Tells the manager, twice per WATCHDOG_USEC, that the event loop turns. Without a watchdog it returns at once."""
    period_us = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()) or not period_us.isdecimal():
        return
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(int(period_us) / MICROSECONDS / 2)
