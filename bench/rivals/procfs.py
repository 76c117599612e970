"""What Linux knows of a process: the CPU time it used and the memory that is its own."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PROCESS_CLOCK: Final = 2
"""Low bits of the clock id of another process's CPU time (clock_getcpuclockid(3), CPUCLOCK_SCHED)."""


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of `pid`, the ended ones too.

    The same sum as utime and stime of /proc/PID/stat, but in nanoseconds: their steps of 10 ms would be most of what a
    short run uses.

    Raises:
        OSError: There is no such process.
    """
    return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)


def rss_anon_kib(pid: int, proc: Path = Path("/proc")) -> int:
    """Resident anonymous memory in KiB: heap and stacks, without mapped files such as LMDB's."""
    found = re.search(r"^RssAnon:\s+(\d+) kB$", (proc / str(pid) / "status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"this kernel tells no RssAnon for process {pid}")
    return int(found[1])


def core_busy_seconds(core: int, proc: Path = Path("/proc")) -> float:
    """Time that `core` has spent on anything but idling, since boot; the hypervisor's theft counts as busy."""
    found = re.search(rf"^cpu{core} (.+)$", (proc / "stat").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"this machine has no core {core}")
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, found[1].split()[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_S


def cpu_model(proc: Path = Path("/proc")) -> str:
    """The processor's name, "unknown" where the kernel doesn't tell."""
    found = re.search(r"^model name\s*:\s*(.+)$", (proc / "cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else "unknown"
