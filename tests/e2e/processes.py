"""Real processes of `python -m laura_fast`: started, awaited, signalled by pid, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Found = TypeVar("Found")

START_S = 30.0
"""Imports on a loaded machine with two cores take seconds."""

STOP_S = 20.0
POLL_S = 0.02


def until(ask: Callable[[], Found], what: str, seconds: float = START_S) -> Found:
    """The first truthy answer of `ask`, or a failure that names `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        time.sleep(POLL_S)
    return found


class LauraProcess:
    """One process of the command line, its output kept in files below `directory`."""

    module: ClassVar[str] = "laura_fast"

    def __init__(self, directory: Path, *arguments: str, environ: dict[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._out, self._log = directory / "stdout", directory / "stderr"
        with self._out.open("wb") as out, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env={**os.environ, **(environ or {})},
                cwd=directory,
            )

    @property
    def output(self) -> str:
        """What it printed."""
        return self._out.read_text()

    @property
    def log(self) -> str:
        """What it logged, over every process that used the directory."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill -9, and its death awaited."""
        self._process.kill()
        self._process.wait(STOP_S)

    def wait(self, seconds: float = STOP_S) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(seconds)

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def await_log(self, event: str, seconds: float = STOP_S) -> None:
        """Waits until a line with `event` was logged."""
        until(lambda: event in self.log, f"log line {event!r}", seconds)


class ServerProcess(LauraProcess):
    """`serve` on a free port of 127.0.0.1, with its data below `directory`."""

    def __init__(self, directory: Path, *arguments: str, port: int = 0, environ: dict[str, str] | None = None) -> None:
        self._ready = directory / "ready"
        self._ready.unlink(missing_ok=True)
        where = ("--host", "127.0.0.1", "--port", str(port))
        files = ("--data-dir", str(directory / "data"), "--ready-file", str(self._ready))
        super().__init__(directory, "serve", *where, *files, *arguments, environ=environ)

    @property
    def ready(self) -> bool:
        return self._ready.exists()

    @property
    def address(self) -> str:
        """`host:port`, once it is ready. Fails at once when the process ended instead."""
        until(lambda: self.ready or not self.running, "ready file")
        assert self.ready, f"the server ended with {self._process.returncode}: {self.log}"
        return self._ready.read_text().removesuffix("\n")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])
