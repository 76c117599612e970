"""The shipped interoperability test server in a process of its own, plain or over TLS."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class InteropServer(NamedTuple):
    """Where it listens, and the file with the authority to trust; None for plain text."""

    address: str
    authority: Path | None


@contextmanager
def interop_server(transport: str, security: str, folder: Path) -> Iterator[InteropServer]:
    """Runs the server until the end of the block; `security` is "plain" or "tls", its files go to `folder`."""
    flags, authority = _key_files(folder) if security == "tls" else ([], None)
    command = [sys.executable, "-m", "laura_fast.testing.interop_server", "--transport", transport, *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("listening on ").strip()
            yield InteropServer(address, authority)
        finally:
            process.terminate()


def _key_files(folder: Path) -> tuple[list[str], Path]:
    certificate, key, trusted = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    authority.cert_pem.write_to_path(str(trusted))
    return ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)], trusted
