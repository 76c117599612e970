"""Arguments and options of the commands about documents."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import click

from laura_fast.cli._connection import ONE_PASS, connected, console
from laura_fast.client.console.finding import Output
from laura_fast.client.documents import DocumentClient, Namespace, Reading
from laura_fast.client.documents.extended_json import parse_pipeline, parse_query
from laura_fast.errors import ConfigError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from laura_fast.cli._connection import Command
    from laura_fast.client import ClientTls, ClusterClient, RetryPolicy
    from laura_fast.client.retry import RetryScheduled


class Written(click.ParamType[Any]):
    """An argument that is read by a function; what the function refuses is wrong usage."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except (ConfigError, InvalidArgumentError) as error:
            self.fail(str(error), param, ctx)


def order(text: str) -> dict[str, Any]:
    """``-Size,name`` or ``{"Size": -1, "name": 1}``, the most significant field first.

    Raises:
        InvalidArgumentError: Neither of them.
    """
    if text.lstrip().startswith("{"):
        return parse_query(text)
    return {part.removeprefix("-"): -1 if part.startswith("-") else 1 for part in _parts(text)}


def fields(text: str) -> dict[str, Any]:
    """``name,Size`` to show only these, ``-Depends`` to leave one out, or a projection document.

    Raises:
        InvalidArgumentError: None of them.
    """
    if text.lstrip().startswith("{"):
        return parse_query(text)
    return {part.removeprefix("-"): 0 if part.startswith("-") else 1 for part in _parts(text)}


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.removeprefix("-") for part in parts):
        raise InvalidArgumentError(f"{text!r}: write field,other or a JSON document", "MALFORMED_FIELDS")
    return parts


NAMESPACE: Final = Written("namespace", Namespace.parse)
FILTER: Final = Written("filter", parse_query)
PIPELINE: Final = Written("pipeline", parse_pipeline)
ORDER: Final = Written("fields", order)
FIELDS: Final = Written("fields", fields)
_READING: Final = Reading()


def with_output(command: Command) -> Command:
    """Adds ``-o`` and ``--canonical`` and passes them on as one `output` argument."""

    @functools.wraps(command)
    def run(*, output: str, canonical: bool, **rest: Any) -> Any:
        return command(output=Output(console(), as_json=output == "json", canonical=canonical), **rest)

    form = click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
    canonical = click.option("--canonical", is_flag=True, help="JSON that keeps every type (canonical Extended JSON).")
    return form(canonical(run))


def with_query(command: Command) -> Command:
    """Adds the options of a query beside its filter."""
    options = (
        click.option("--projection", "-p", type=FIELDS, help="Fields to show: name,Size or -Depends or JSON."),
        click.option("--sort", type=ORDER, help="Order: -Size,name or JSON."),
        click.option("--skip", type=click.IntRange(0), default=0, help="Leave out so many at the beginning."),
        click.option("--limit", type=click.IntRange(0), default=0, help="At most so many; 0 is all."),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def with_documents(
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
    work: Callable[[DocumentClient], Awaitable[None]],
    *,
    reading: Reading = _READING,
    policy: RetryPolicy = ONE_PASS,
    on_retry: Callable[[RetryScheduled], None] = lambda _: None,
) -> None:
    """Runs `work` with a client of the cluster's documents."""

    async def run(cluster: ClusterClient) -> None:
        await work(DocumentClient(cluster, timeout_s=timeout_s, reading=reading))

    connected(seeds, tls, policy, run, on_retry)
