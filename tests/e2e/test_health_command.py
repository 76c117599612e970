"""`health` answers by its exit code, as probes need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.processes import LauraProcess, ServerProcess


def test_a_healthy_server_is_exit_code_0(serve: Callable[..., ServerProcess], run: Callable[..., LauraProcess]) -> None:
    command = run("health", "--server", serve().address)
    assert command.wait() == 0
    assert command.output == "readiness SERVING\n"


@pytest.mark.parametrize("service", ["lauradb.cluster.TransactionService", "no.such.Service"])
def test_a_service_that_is_not_serving_is_exit_code_1(
    serve: Callable[..., ServerProcess], run: Callable[..., LauraProcess], service: str
) -> None:
    assert run("health", "--server", serve().address, "--service", service).wait() == 1


def test_no_server_is_exit_code_1_and_says_so(run: Callable[..., LauraProcess]) -> None:
    command = run("health", "--server", "127.0.0.1:1")
    assert command.wait() == 1
    assert "connection refused" in command.log
