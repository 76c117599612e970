"""The data directory: private to its owner, locked against a second process, marked with its format."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from laura_fast.errors import DataDirectoryError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = "laura_fast 2"
"""How everything in the directory is stored. It is counted up with every change that another version would misread: 2
seals what is stored of a document with a check, and an outcome of a request says what was known before it.
"""

_DATA: Final = "data.mdb"
"""LMDB's file; the marker is on disk before it is."""


class DirectoryLock:
    """Holds a data directory. The kernel frees it when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> DirectoryLock:
        """Creates the directory (mode 0700) when absent, locks it and checks its format.

        Raises:
            DataDirectoryError: Not a writable directory, locked by another process, or of another format.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryError(f"data directory {path} can't be used: {error.strerror}") from error
        try:
            _lock(descriptor, path)
            _check_format(path)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Frees the directory for the next process. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise DataDirectoryError(f"data directory {path} is in use by another process (pid {holder})") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _check_format(path: Path) -> None:
    marker = path / "FORMAT"
    try:
        found = marker.read_text().strip()
    except FileNotFoundError:
        if (path / _DATA).exists():
            raise _other_format(path, "no format, but data") from None
        _write_durably(marker, FORMAT + "\n")
        return
    except (OSError, UnicodeDecodeError) as error:
        raise DataDirectoryError(f"{marker} can't be read: {error}") from error
    if found != FORMAT:
        raise _other_format(path, f"the format {found!r}")


def _other_format(path: Path, found: str) -> DataDirectoryError:
    return DataDirectoryError(
        f"data directory {path} has {found}; this version reads {FORMAT!r} alone. Nothing was touched: export the"
        " documents with the version that wrote them and import them into a new directory"
    )


def _write_durably(path: Path, text: str) -> None:
    """Atomic and on disk when it returns: file first, then the directory entry."""
    scratch = path.with_suffix(".new")
    with scratch.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
