"""`serve`: one server on uvloop, until a signal."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click
import uvloop

from laura_fast.app import Server
from laura_fast.cli import _garbage, _open_files
from laura_fast.cli._settings import load_settings, with_settings
from laura_fast.cli._systemd import keep_watchdog_fed, notify
from laura_fast.config.rendering import as_toml
from laura_fast.errors import ConfigError
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from laura_fast.config import Config, Loaded

_log = log.get("laura_fast.serve")


@click.command()
@with_settings
@click.option("--print-config", is_flag=True, help="Show each value and where it came from, and exit.")
def command(config_file: Path | None, print_config: bool, **flags: str | bool | None) -> None:
    """Run a server of the cluster until SIGTERM or SIGINT."""
    loaded = load_settings(config_file, flags)
    if print_config:
        click.echo(as_toml(loaded))
        return
    log.configure(loaded.config.log_level)
    _open_files.allow(loaded.config.max_connections)
    _garbage.spare()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(loaded.config, lambda: load_settings(config_file, flags)))


async def serve(config: Config, reload: Callable[[], Loaded]) -> None:
    """Runs a server: the first SIGTERM or SIGINT stops it gracefully, a second at once; SIGHUP re-reads.

    Args:
        config: Every setting.
        reload: Loads the settings anew, for SIGHUP.

    Raises:
        LauraError: It can't start, or stopped itself.
    """
    server = Server(config)
    first, second = asyncio.Event(), asyncio.Event()
    _listen(first, second, lambda: _re_read(server, reload))
    await server.start()
    notify("READY=1")
    watchdog = asyncio.create_task(keep_watchdog_fed())
    try:
        await _first_of(first.wait(), server.wait())
        notify("STOPPING=1")
        await _stop(server, second)
    finally:
        watchdog.cancel()


def _listen(first: asyncio.Event, second: asyncio.Event, re_read: Callable[[], None]) -> None:
    def stop_asked() -> None:
        (second if first.is_set() else first).set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop_asked)
    loop.add_signal_handler(signal.SIGINT, stop_asked)
    loop.add_signal_handler(signal.SIGHUP, re_read)


async def _first_of(*ends: Awaitable[object]) -> None:
    """Waits for one of them and raises what it raised."""
    tasks = [asyncio.ensure_future(end) for end in ends]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


async def _stop(server: Server, at_once: asyncio.Event) -> None:
    graceful = asyncio.create_task(server.stop())
    await _first_of(asyncio.shield(graceful), at_once.wait())
    if not graceful.done():
        await server.stop(grace_s=0)
    await graceful


def _re_read(server: Server, reload: Callable[[], Loaded]) -> None:
    server.reload_certificates()
    try:
        level = reload().config.log_level
    except ConfigError as error:
        _log.error("settings_not_reloaded", problems=str(error).splitlines())
        return
    log.set_level(level)
    _log.info("settings_reloaded", log_level=level)
