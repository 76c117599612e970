"""gRPC's published interoperability cases from `@grpc/grpc-js`, as npm has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import PROTOS
from tests.interop.npm import SOURCE, NoRegistryError, missing_node, node_modules
from tests.interop.targets import CaseClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.targets import Target

pytestmark = pytest.mark.skipif(bool(missing_node()), reason=missing_node())

CASES = re.findall(r"^  async (\w+)\(run\)", (SOURCE / "cases.js").read_text(), re.MULTILINE)


@pytest.fixture(scope="session")
def packages() -> Path:
    try:
        return node_modules()
    except NoRegistryError as error:
        pytest.skip(f"no npm registry: {error}")


@pytest.fixture(scope="session")
def client(packages: Path, target: Target) -> Iterator[CaseClient]:
    command = ["node", str(SOURCE / "client.js"), f"--protos={PROTOS}"]
    started = CaseClient(command, target, {"NODE_PATH": str(packages)})
    yield started
    started.close()


@pytest.mark.parametrize("case", CASES)
def test_js(client: CaseClient, case: str) -> None:
    client.run(case)
