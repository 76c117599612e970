"""Commands as they are typed, against a router in memory that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from laura_fast.cli._group import commands
from tests.unit.client.documents.fake_router import FakeRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result


@pytest.fixture
def router() -> Iterator[FakeRouter]:
    """Commands have an event loop of their own, so the router has one, too."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    fake = FakeRouter()
    asyncio.run_coroutine_threadsafe(fake.start(), loop).result()
    yield fake
    asyncio.run_coroutine_threadsafe(fake.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def typed(router: FakeRouter) -> Callable[..., Result]:
    """Runs a command with its `--server`; what it raises is in the result."""

    def run(*arguments: str, stdin: bytes | None = None, **options: Any) -> Result:
        return CliRunner().invoke(commands, [*arguments, "--server", router.address], input=stdin, **options)

    return run
