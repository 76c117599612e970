"""gRPC's interoperability cases from a Go client, against the shipped test server: both transports, plain and TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson
import pytest

from bench.rivals.build import go_program, missing_go
from tests.e2e.interop import interop_server

pytestmark = pytest.mark.skipif(bool(missing_go()), reason=missing_go())

SOURCE = Path(__file__).parent / "interop_go" / "main.go"
SCHEMAS = ("grpc/testing/empty.proto", "grpc/testing/messages.proto", "grpc/testing/test.proto")


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_every_case_passes(transport_name: str, security: str, tmp_path: Path) -> None:
    client = go_program(SOURCE, schemas=SCHEMAS, package="interop/testpb")
    with interop_server(transport_name, security, tmp_path) as server:
        flags = [f"--ca={server.authority}"] if server.authority else []
        command = [str(client), f"--address={server.address}", *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    outcome = orjson.loads(done.stdout)
    assert len(outcome) == 16
    assert {name: error for name, error in outcome.items() if error} == {}
