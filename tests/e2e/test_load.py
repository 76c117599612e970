"""`load` as a command: what it prints, and what its exit code says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import orjson
import pytest

from laura_fast.load.report import LoadReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.processes import LauraProcess, ServerProcess

SHORT = ("--duration", "300ms", "--warmup", "100ms", "--connections", "2", "--timeout", "20s")


def test_an_open_run_is_exit_code_0_and_json_has_it_all(
    serve: Callable[..., ServerProcess], run: Callable[..., LauraProcess]
) -> None:
    server = serve("--transport", "native")
    command = run("load", "--server", server.address, "--rps", "500", "-o", "json", *SHORT)
    assert command.wait() == 0, command.log
    report = msgspec.convert(orjson.loads(command.output), LoadReport)
    assert (report.loop, report.rps, report.answered, report.failures) == ("open", 500, 200, {})
    assert report.latency.count == 150
    assert report.server is not None
    assert report.server.cpu_us_per_call > 0


def test_a_closed_run_says_so_on_the_page(
    serve: Callable[..., ServerProcess], run: Callable[..., LauraProcess]
) -> None:
    command = run("load", "--server", serve().address, "--closed", "--streams", "2", *SHORT)
    assert command.wait() == 0, command.log
    assert "CLOSED LOOP" in command.output
    assert re.search(r"heartbeat +│", command.output)


def test_no_server_is_exit_code_1(run: Callable[..., LauraProcess]) -> None:
    command = run("load", "--server", "127.0.0.1:1", *SHORT)
    assert command.wait() == 1
    assert "connection refused" in command.log


@pytest.mark.parametrize("wrong", [("--closed", "--rps", "5"), ("--method", "nothing"), ("--rps", "0")])
def test_wrong_usage_is_exit_code_2(run: Callable[..., LauraProcess], wrong: tuple[str, ...]) -> None:
    assert run("load", *wrong).wait() == 2
