"""Options of the commands that talk to a cluster, and how their failures are shown."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from laura_fast.client import ClientTls, ClusterClient, RetryPolicy
from laura_fast.client.explain import explain
from laura_fast.config.kinds import Duration
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from laura_fast.client.retry import RetryScheduled

    Command = Callable[..., Any]

ONE_PASS: Final = RetryPolicy(attempt_timeout_s=3600, max_passes=1)
"""A person who looks wants to hear of a failure now; the call's own time-out is the only one."""
_WIDE: Final = 1_000
_PEM = click.Path(path_type=Path, dir_okay=False)


class Seconds(click.ParamType[float]):
    """A duration with its unit, answered in seconds. Bounds are milliseconds."""

    name = "duration"

    def __init__(self, low_ms: int, high_ms: int) -> None:
        self._kind = Duration(low_ms, high_ms)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return int(self._kind.from_text(str(value))) / 1000
        except ValueError:
            self.fail(f"{value!r} is not {self._kind.allowed}", param, ctx)


def with_tls(command: Command) -> Command:
    """Adds the TLS options and passes them on as one `tls` argument; any of them turns TLS on."""

    @functools.wraps(command)
    def run(*, tls: bool, ca: Path | None, cert: Path | None, key: Path | None, server_name: str, **rest: Any) -> Any:
        settings = ClientTls.from_flags(tls=tls, ca_file=ca, cert_file=cert, key_file=key, server_name=server_name)
        return command(tls=settings, **rest)

    options = (
        click.option("--tls", is_flag=True, help="Use TLS and trust the system's authorities."),
        click.option("--tls-ca-file", "ca", type=_PEM, help="Trust these authorities instead (PEM)."),
        click.option("--tls-cert-file", "cert", type=_PEM, help="Our certificate, where servers ask for one (PEM)."),
        click.option("--tls-key-file", "key", type=_PEM, help="The key of our certificate (PEM)."),
        click.option("--tls-server-name", "server_name", default="", help="Name in the server's certificate."),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), run)


def with_server(timeout: str = "5s") -> Callable[[Command], Command]:
    """Adds ``--server``, ``--timeout`` with this default, and the TLS options."""
    wait = click.option(
        "--timeout", "timeout_s", type=Seconds(1, 3_600_000), default=timeout, show_default=True, help="Longest wait."
    )
    server = click.option(
        "--server", "-s", "seeds", default="127.0.0.1:27018", show_default=True, help="host:port[,host:port]…"
    )
    return lambda command: server(wait(with_tls(command)))


def console(*, stderr: bool = False) -> Console:
    """The terminal as it is; where there is none, lines of any length and no colours."""
    made = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, emoji=False, markup=False, width=_WIDE)


def connected(
    seeds: str,
    tls: ClientTls | None,
    policy: RetryPolicy,
    work: Callable[[ClusterClient], Awaitable[None]],
    on_retry: Callable[[RetryScheduled], None] = lambda _: None,
) -> None:
    """Runs `work` with a client of the cluster."""

    async def with_client() -> None:
        async with ClusterClient(seeds, tls=tls, policy=policy, on_retry=on_retry) as client:
            await work(client)

    run(with_client())


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs a command's work to its end. Ctrl-C is a way to end it, not an error."""
    # What the core of gRPC writes on its own about a failed handshake is in the error that we show.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        asyncio.run(work)
    except ClientError as error:
        raise ClientError(explain(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    except BrokenPipeError:  # whoever read what we print has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # and what is still buffered must go somewhere
        raise SystemExit(0) from None
