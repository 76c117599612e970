"""`aggregate`: the results of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from laura_fast.cli._connection import with_server
from laura_fast.cli._documents import NAMESPACE, PIPELINE, with_documents, with_output
from laura_fast.cli._reading import with_reading
from laura_fast.client.console.finding import show_results

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.console.finding import Output
    from laura_fast.client.documents import Namespace, Reading


@click.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("pipeline", type=PIPELINE)
@with_output
@with_reading
@with_server(timeout="30s")
def command(
    *,
    namespace: Namespace,
    pipeline: list[dict[str, Any]],
    output: Output,
    reading: Reading,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Show the results of a pipeline.

    PIPELINE is an array of stages in Extended JSON, or one stage; it runs over the documents of NAMESPACE.
    """
    with_documents(
        seeds,
        tls,
        timeout_s,
        lambda documents: show_results(documents, namespace, pipeline, output),
        reading=reading,
    )
