"""The file that tells a supervisor where the server listens, once it may be used."""

from __future__ import annotations

import os
from pathlib import Path

from laura_fast.errors import StartupError


class ReadyFile:
    """One line, `host:port`. Absent while the server is not ready; no reader ever sees half a line."""

    def __init__(self, path: str) -> None:
        """An empty path means no file: every method then does nothing."""
        self._path = Path(path) if path else None

    def write(self, address: str) -> None:
        """Puts the file in place in one step.

        Raises:
            StartupError: The file can't be written.
        """
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            draft.write_text(f"{address}\n", encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise StartupError(f"ready file {self._path} can't be written: {error.strerror}") from error

    def remove(self) -> None:
        """Removes the file, also one that a killed predecessor left.

        Raises:
            StartupError: It is there and can't be removed: whoever waits for it would be misled.
        """
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StartupError(f"ready file {self._path} can't be removed: {error.strerror}") from error
