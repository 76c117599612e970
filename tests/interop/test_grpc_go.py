"""gRPC's published interoperability cases from grpc-go, as Debian packages it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import go_program, missing_go
from tests.interop.targets import CaseClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.targets import Target

pytestmark = pytest.mark.skipif(bool(missing_go()), reason=missing_go())

SOURCE = Path(__file__).parent / "go" / "main.go"
SCHEMAS = tuple(f"grpc/testing/{name}.proto" for name in ("empty", "messages", "test"))
CASES = re.findall(r'^\t"(\w+)":', SOURCE.with_name("cases.go").read_text(), re.MULTILINE)


@pytest.fixture(scope="session")
def program() -> Path:
    return go_program(SOURCE, schemas=SCHEMAS, package="interop/testpb")


@pytest.fixture(scope="session")
def client(program: Path, target: Target) -> Iterator[CaseClient]:
    started = CaseClient([str(program)], target)
    yield started
    started.close()


@pytest.mark.parametrize("case", CASES)
def test_go(client: CaseClient, case: str) -> None:
    client.run(case)
