"""gRPC's interoperability cases from @grpc/grpc-js, against the shipped test server: both transports, plain and TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.e2e.interop import interop_server

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "build" / "interop-js" / "node_modules"
INSTALL = "npm install --prefix build/interop-js @grpc/grpc-js @grpc/proto-loader"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (MODULES / "@grpc" / "grpc-js").is_dir(),
    reason=f"needs node and its packages: {INSTALL}",
)


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_every_case_passes(transport_name: str, security: str, tmp_path: Path) -> None:
    with interop_server(transport_name, security, tmp_path) as server:
        client = Path(__file__).parent / "interop_js" / "client.js"
        command = ["node", str(client), server.address, str(ROOT / "protos")]
        if server.authority:
            command.append(str(server.authority))
        environment = {**os.environ, "NODE_PATH": str(MODULES)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
    outcome = orjson.loads(done.stdout)
    assert len(outcome) == 14
    assert {name: error for name, error in outcome.items() if error} == {}
