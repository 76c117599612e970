"""`python -m bench.transport`: clients with deadlines, streams and TLS, interleaved in one session."""

from __future__ import annotations

from typing import Any, Final

import click
from msgspec.structs import replace

from bench.rivals import command
from bench.transport.subjects import ALL, BASELINES
from laura_fast.report.raw.rivals import Scenario

SCENARIOS: Final = (
    Scenario("heartbeat", 10, 10, nodes=100),
    Scenario("heartbeat", 10, 10, nodes=100, client="go"),
    Scenario("heartbeat", 10, 10, nodes=100, client="grpcio"),
    Scenario("heartbeat_stream", 10, 10, nodes=100, client="raw"),
    Scenario("heartbeat_stream", 10, 10, nodes=100, client="raw", in_flight=16),
)
QUICK: Final = [replace(scenario, connections=2, streams=2, nodes=5) for scenario in SCENARIOS]


@click.command(help=__doc__)
@command.options(ALL)
@click.option("--client", type=command.Listed(click.Choice(["h2load", "go", "grpcio", "raw"])), help="Clients to run.")
def main(*, client: tuple[str, ...] | None, **given: Any) -> None:
    """Measures every subject with every client that suits it."""
    asked = command.Options(**given)
    scenarios = [one for one in (QUICK if asked.quick else SCENARIOS) if not client or one.client in client]
    command.run("bench.transport", ALL, BASELINES, scenarios, asked)


if __name__ == "__main__":
    main()
