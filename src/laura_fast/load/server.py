"""The server as the operating system sees it, where it runs on this machine."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import psutil

_PROCESS_CLOCK: Final = 2
"""Low bits of the clock id of another process's CPU time (clock_getcpuclockid(3), CPUCLOCK_SCHED)."""


class Usage(NamedTuple):
    """What a server has used.

    Attributes:
        cpu_s: CPU time of all its threads since its start, in steps of nanoseconds (psutil's are 10 ms).
        memory_bytes: Resident memory of its own: without mapped files such as the storage's, without what it shares.
    """

    cpu_s: float
    memory_bytes: int


def listeners(port: int) -> list[int]:
    """Processes of ours that listen on a TCP port."""
    listening = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    return sorted({one.pid for one in listening if one.pid and one.laddr and one.laddr.port == port})


def usage(pids: list[int]) -> Usage | None:
    """All these processes and their children together; None where there are none, or one is gone."""
    if not pids:
        return None
    try:
        processes = [process for pid in pids for process in _family(psutil.Process(pid))]
        memory = [process.memory_info() for process in processes]
        cpu_s = sum(time.clock_gettime(~process.pid << 3 | _PROCESS_CLOCK) for process in processes)
    except (psutil.Error, OSError):
        return None
    return Usage(cpu_s, sum(one.rss - one.shared for one in memory))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
