"""gRPC's interoperability cases from a Go client, against the shipped test server: both transports, plain and TLS."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
import trustme

from bench.rivals.build import go_program, missing_go

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(bool(missing_go()), reason=missing_go())

SOURCE = Path(__file__).parent / "interop_go" / "main.go"
SCHEMAS = ("grpc/testing/empty.proto", "grpc/testing/messages.proto", "grpc/testing/test.proto")


@contextmanager
def interop_server(*arguments: str) -> Iterator[str]:
    """The test server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "laura_fast.testing.interop_server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_every_case_passes(transport_name: str, security: str, tmp_path: Path) -> None:
    client = go_program(SOURCE, schemas=SCHEMAS, package="interop/testpb")
    server_flags, client_flags = ["--transport", transport_name], []
    if security == "tls":
        authority, certificate, key = trustme.CA(), tmp_path / "cert.pem", tmp_path / "key.pem"
        issued = authority.issue_cert("localhost")
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        server_flags += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
        client_flags = [f"--ca={tmp_path / 'ca.pem'}"]
    with interop_server(*server_flags) as address:
        command = [str(client), f"--address={address}", *client_flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    outcome = orjson.loads(done.stdout)
    assert len(outcome) == 16
    assert {name: error for name, error in outcome.items() if error} == {}
