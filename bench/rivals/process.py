"""Starts a server pinned to one core, knows when it answers, and ends it by its own process id."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.rivals.build import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.02


class StartError(Exception):
    """A server ended, or didn't answer in time; the text ends with the tail of its log."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    pid: int
    address: str
    """host:port"""


@contextmanager
def serve(command: list[str], core: int, scratch: Path, address: Callable[[], str | None]) -> Iterator[Running]:
    """Runs `command` on `core` for the length of the block; its output goes to `scratch/log`.

    Args:
        command: Program and arguments; runs in the root of the repository.
        core: The only core it may use. Runtimes that size themselves by cores (Go, gRPC C++) see one.
        scratch: A folder of this server's own.
        address: Asked again and again until it returns host:port instead of None.

    Raises:
        StartError: The server isn't up after `START_TIMEOUT_S`.
    """
    log = scratch / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *command], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Running(process.pid, _await(process, address, log))
    finally:
        stop(process)


def _await(process: subprocess.Popen[bytes], address: Callable[[], str | None], log: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if found := address():
            return found
        time.sleep(POLL_S)
    raise StartError(f"{process.args!r} is not up:\n{log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, then makes it."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def from_ready_file(path: Path) -> Callable[[], str | None]:
    """The address is what the server writes into `path`."""
    return lambda: path.read_text().strip() if path.exists() else None


def when_listening(port: int) -> Callable[[], str | None]:
    """The address is known; it counts once a connection is accepted."""

    def probe() -> str | None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return None
        return f"127.0.0.1:{port}"

    return probe


def free_port() -> int:
    """A port nobody listens on now, for servers that can't pick their own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
