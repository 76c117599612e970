"""Key material of a server: read, checked, and read again when the files change.

Whatever is wrong at the start stops the start; whatever is wrong later keeps the pair that works, is logged once per
change and counted. New connections use the newest good pair, open ones go on with theirs.
"""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from laura_fast.errors import TlsMaterialError
from laura_fast.observability import log
from laura_fast.transport.tls_policy import expiry_problem, server_context, validity

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from laura_fast.transport.settings import TlsFiles

    Fingerprint = tuple[tuple[int, ...] | None, ...]

_log = log.get("laura_fast.tls")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One checked generation of the files. The key never shows in a repr, so it can't get into a log by accident."""

    cert_pem: bytes
    key_pem: bytes = field(repr=False)
    client_ca_pem: bytes | None
    context: ssl.SSLContext
    """Ready to accept connections with ALPN h2."""
    not_after_s: float
    """End of the certificate's life, seconds since 1970."""


class TlsMaterial:
    """The newest good generation of `TlsFiles`. Safe to use from any thread."""

    def __init__(self, files: TlsFiles) -> None:
        """Reads and checks the files.

        Raises:
            TlsMaterialError: A file can't be read, is malformed, does not fit the others, or others may read the key.
        """
        self._files = files
        self._lock = threading.Lock()
        self._seen = _fingerprint(files)
        self._pair = _load(files)
        self.reloads = 0
        """Generations taken over since the start."""
        self.reload_failures = 0
        """Changes that were refused; the pair before them stayed in use."""

    @property
    def verifies_clients(self) -> bool:
        """Whether a client needs a certificate."""
        return self._files.client_ca_file is not None

    @property
    def not_after_s(self) -> float:
        """End of the life of the certificate in use, seconds since 1970."""
        return self._pair.not_after_s

    def current(self) -> KeyPair:
        """The pair for a new connection: looks at the files (three `stat` calls) and takes over what changed."""
        if _fingerprint(self._files) != self._seen:
            with self._lock:
                # Another thread may have been first: a bad change is logged once, not once per handshake.
                if (seen := _fingerprint(self._files)) != self._seen:
                    self._take_over(seen)
        return self._pair

    def reload(self) -> bool:
        """Reads the files now, changed or not. False: they are bad, the old pair stays."""
        with self._lock:
            return self._take_over(_fingerprint(self._files))

    def _take_over(self, seen: Fingerprint) -> bool:
        self._seen = seen  # taken before reading: a file that changes meanwhile is noticed by the next look
        try:
            self._pair = _load(self._files)
        except TlsMaterialError as error:
            self.reload_failures += 1
            _log.error("tls_reload_failed", error=str(error), kept_until=self._pair.not_after_s)
            return False
        self.reloads += 1
        _log.info("tls_reloaded", cert_file=str(self._files.cert_file), not_after=self._pair.not_after_s)
        return True


def _load(files: TlsFiles) -> KeyPair:
    cert_pem, key_pem = _read(files.cert_file), _read_private(files.key_file)
    client_ca_pem = _read(files.client_ca_file) if files.client_ca_file else None
    try:
        context = server_context(cert_pem, key_pem, client_ca_pem)
        not_before_s, not_after_s = validity(context, cert_pem)
    except TlsMaterialError as error:
        raise TlsMaterialError(f"{_names(files)}: {error}") from None
    problem = expiry_problem(not_before_s, not_after_s)
    if problem:
        _log.warning("tls_certificate_not_valid_now", cert_file=str(files.cert_file), problem=problem)
    return KeyPair(cert_pem, key_pem, client_ca_pem, context, not_after_s)


def _names(files: TlsFiles) -> str:
    parts = (files.cert_file, files.key_file, files.client_ca_file)
    return ", ".join(str(part) for part in parts if part)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsMaterialError(f"cannot read {path}: {error.strerror}") from None


def _read_private(path: Path) -> bytes:
    """Reads a file that nobody else may read; checked on the open file, so it can't be exchanged in between."""
    try:
        with path.open("rb") as file:
            _check_private(path, os.fstat(file.fileno()))
            return file.read()
    except OSError as error:
        raise TlsMaterialError(f"cannot read {path}: {error.strerror}") from None


def _check_private(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise TlsMaterialError(f"others may read the key {path} (mode {mode:04o}): chmod 600 {path}")
    if status.st_uid not in (0, os.geteuid()):
        raise TlsMaterialError(f"the key {path} belongs to user {status.st_uid}: chown {os.geteuid()} {path}")


def _fingerprint(files: TlsFiles) -> Fingerprint:
    return tuple(_mark(path) for path in (files.cert_file, files.key_file, files.client_ca_file) if path)


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
