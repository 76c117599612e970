"""Server processes under measurement: started pinned, measured through the kernel, ended by their own id."""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 10.0
POLL_S = 0.01

NEVER_DOWN = ("--suspect-after", "30m", "--down-after", "60m")
"""Flags of `serve` under which a node that no longer beats changes nothing during a run."""

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = CPUS[-1]
"""The last core: the first one takes the machine's interrupts."""
CLIENT_CPUS = frozenset(CPUS[:-1]) or frozenset(CPUS)
"""Every other core; on a one-core machine the same one, and the numbers say so through `env.json`."""


def transports() -> list[str]:
    """Transports that can serve in this checkout: those whose package has `create_server`."""
    names = ("grpcio", "native")
    return [name for name in names if hasattr(importlib.import_module(f"laura_fast.transport.{name}"), "create_server")]


@dataclass(frozen=True, slots=True)
class Process:
    """One process under measurement."""

    pid: int
    address: str
    log: Path
    """Everything it wrote; gone when the process is stopped."""

    data: Path
    """Its data directory; gone with it."""

    def cpu_s(self) -> float:
        """CPU seconds of all its threads, living and ended, in nanosecond steps (`/proc/PID/stat` has 10 ms steps)."""
        return time.clock_gettime(~self.pid << 3 | 2)  # clock_getcpuclockid(3)'s encoding on Linux

    def rss_anon_bytes(self) -> int:
        """Anonymous resident memory: LMDB's map is file memory and would count as ours in VmRSS."""
        return _status_kib(self.pid, "RssAnon") * 1024

    def rss_bytes(self) -> int:
        """All resident memory, the pages of its files that it has mapped among it."""
        return _status_kib(self.pid, "VmRSS") * 1024


def _status_kib(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise KeyError(key)


@contextlib.contextmanager
def pinned(cpus: frozenset[int]) -> Iterator[None]:
    """Runs the block, and whatever it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def serve(transport: str, *arguments: str) -> Iterator[Process]:
    """A server of this checkout on a core of its own and an empty data directory.

    Args:
        transport: Value of `--transport`.
        arguments: Further flags of `serve`.

    Raises:
        RuntimeError: It ended or was not ready within `START_DEADLINE_S`; the message has its output.
    """
    with tempfile.TemporaryDirectory(prefix="laura-fast-bench-") as scratch:
        ready = Path(scratch, "ready")
        flags = ["--host", "127.0.0.1", "--port", "0", "--data-dir", f"{scratch}/data", "--ready-file", str(ready)]
        command = [sys.executable, "-m", "laura_fast", "serve", "--transport", transport, "--log-level", "warning"]
        log = Path(scratch, "log")
        with _child([*command, *flags, *arguments], log) as child:
            yield Process(child.pid, _await_ready(child, ready, log), log, Path(scratch, "data"))


@contextlib.contextmanager
def _child(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with log.open("wb") as output, pinned(frozenset({SERVER_CPU})):
        child = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=environment)
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _await_ready(child: subprocess.Popen[bytes], ready: Path, log: Path) -> str:
    """Address from the ready file (its first line, `host:port`)."""
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and child.poll() is None:
        if ready.exists() and (text := ready.read_text(encoding="utf-8").strip()):
            return text.split()[0]
        time.sleep(POLL_S)
    raise RuntimeError(f"the server did not become ready:\n{log.read_text(encoding='utf-8', errors='replace')}")
