"""One member as a process, found again by its pid and the moment it began: the pid may be somebody else's by now."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import msgspec
import psutil

from laura_fast.client.local.plan import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LAST_LINES: Final = 3
"""Of a log that are shown when a member ended by itself."""


class _Started(msgspec.Struct, frozen=True):
    pid: int
    created: float


class MemberProcess:
    """The process of a member, whoever started it. Its files are in a directory of its own."""

    def __init__(self, member_id: str, directory: Path) -> None:
        self.id = member_id
        self._directory = directory
        self._file = directory / "process.json"
        self._ready = directory / "ready"
        self._log = directory / "log"

    @property
    def running(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Started)
            process = psutil.Process(kept.pid)
            same = process.create_time() == kept.created and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, msgspec.DecodeError, psutil.Error):
            return None
        return process if same else None

    @property
    def ready(self) -> bool:
        """Whether it says that it serves."""
        return self._ready.exists()

    def start(self, arguments: Sequence[str]) -> None:
        """Starts it; it outlives this process, and terminals that are closed."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ready.unlink(missing_ok=True)
        files = ("--data-dir", str(self._directory / "data"), "--ready-file", str(self._ready))
        with self._log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "laura_fast", "serve", "--node-id", self.id, *arguments, *files],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        started = _Started(process.pid, psutil.Process(process.pid).create_time())
        write_whole(self._file, msgspec.json.encode(started))

    def end(self, *, hard: bool = False) -> None:
        """Asks it to stop, or kills it; nothing where it does not run."""
        if process := self.running:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill() if hard else process.terminate()

    def forget(self) -> None:
        """It has ended: nothing is left to be found."""
        self._file.unlink(missing_ok=True)
        self._ready.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of its log."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return "it wrote nothing"
        return "\n".join(lines[-LAST_LINES:]) or "it wrote nothing"
