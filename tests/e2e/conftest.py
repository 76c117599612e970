"""Processes that end with their test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import LauraProcess, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def launched() -> Iterator[list[LauraProcess]]:
    """Processes put in here are killed when the test is over."""
    processes: list[LauraProcess] = []
    yield processes
    for process in processes:
        if process.running:
            process.kill()


@pytest.fixture
def serve(tmp_path: Path, launched: list[LauraProcess]) -> Callable[..., ServerProcess]:
    """Starts a server; its directory is `tmp_path / name`, so that the same name finds the same data."""

    def start(*arguments: str, name: str = "server", port: int = 0, **environ: str) -> ServerProcess:
        process = ServerProcess(tmp_path / name, *arguments, port=port, environ=environ)
        launched.append(process)
        return process

    return start


@pytest.fixture
def run(tmp_path: Path, launched: list[LauraProcess]) -> Callable[..., LauraProcess]:
    """Starts any command."""

    def start(*arguments: str, name: str = "command", **environ: str) -> LauraProcess:
        process = LauraProcess(tmp_path / name, *arguments, environ=environ)
        launched.append(process)
        return process

    return start
