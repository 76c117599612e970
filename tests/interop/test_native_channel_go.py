"""gRPC's published interoperability cases from the native channel, against a server of grpc-go."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import go_program, missing_go
from laura_fast.testing.interop_client import CASES, run_case, unimplemented_service
from laura_fast.transport.native.channel import insecure_channel, secure_channel
from laura_fast.transport.tls_policy import client_context
from tests.interop.conftest import certificates
from tests.interop.test_grpc_go import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import grpc

pytestmark = pytest.mark.skipif(bool(missing_go()), reason=missing_go())

SOURCE = Path(__file__).parent / "go_server" / "main.go"
STOP_S = 10


@pytest.fixture(scope="session", params=["plaintext", "tls"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path | None]]:
    """Its address, and the authority behind its certificate."""
    directory = tmp_path_factory.mktemp("go-server")
    ca = certificates(directory) if request.param == "tls" else None
    tls = [f"-cert={directory / 'server.crt'}", f"-key={directory / 'server.key'}"] if ca else []
    program = go_program(SOURCE, schemas=SCHEMAS, package="interop/testpb")
    process = subprocess.Popen([program, *tls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip(), ca
    process.communicate(timeout=STOP_S)


@pytest.fixture
async def channel(server: tuple[str, Path | None]) -> AsyncIterator[grpc.aio.Channel]:
    address, ca = server
    opened = insecure_channel(address) if ca is None else secure_channel(address, client_context(ca, None, None))
    async with opened:
        yield opened


@pytest.mark.parametrize("case", [*CASES, unimplemented_service.__name__])
async def test_case(channel: grpc.aio.Channel, case: str) -> None:
    await run_case(channel, case)
