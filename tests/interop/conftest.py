"""One server per transport and security for all clients; pytest groups the tests by it."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509

from tests.conftest import TRANSPORTS
from tests.contract.certificates import SERVER, issue, write
from tests.interop.targets import InteropServer, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGETS = [(transport, security) for transport in TRANSPORTS for security in ("plaintext", "tls")]


@pytest.fixture(scope="session", params=TARGETS, ids="-".join)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    transport, security = request.param
    directory = tmp_path_factory.mktemp("interop")
    ca = certificates(directory) if security == "tls" else None
    tls = [f"--tls-cert-file={directory / 'server.crt'}", f"--tls-key-file={directory / 'server.key'}"] if ca else []
    server = InteropServer(directory, f"--transport={transport}", *tls)
    yield Target(server.address, transport, ca)
    server.kill()


def certificates(directory: Path) -> Path:
    """Writes a server's key and certificate; the file of the authority behind it."""
    ca = trustme.CA()
    names = (x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1")))
    write(directory, issue(ca, *names, usage=SERVER), None)
    ca_file = directory / "authority.crt"
    ca.cert_pem.write_to_path(ca_file)
    return ca_file
