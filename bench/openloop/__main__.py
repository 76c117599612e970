"""`python -m bench.openloop`: latency against offered load, open loop, both transports and grpc-go."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import click

from bench.openloop import client
from bench.rivals import command
from bench.rivals.rival import Rival
from bench.rivals.subjects import grpc_go, ours
from laura_fast.report.raw.rivals import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES: Final = (500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000)
CONNECTIONS: Final = 10
STREAMS: Final = 100


@dataclass(frozen=True)
class Paced(Rival):
    """A rival that is asked for no more than it can do."""

    most_rps: int = 0

    def plays(self, scenario: Scenario) -> bool:
        """Whether the scenario makes sense for this server."""
        return super().plays(scenario) and scenario.rps <= self.most_rps


def paced(rival: Rival, most_rps: int) -> Paced:
    """The same server with our generator in front."""
    known: dict[str, Any] = {one.name: getattr(rival, one.name) for one in fields(Rival)}
    return Paced(**known | {"drivers": {"load": client.run}}, most_rps=most_rps)


ALL: Final[Sequence[Rival]] = (paced(ours.NATIVE, 100_000), paced(ours.GRPCIO, 3_000), paced(grpc_go.RIVAL, 60_000))


@click.command(help=__doc__)
@command.options(ALL)
def main(**given: Any) -> None:
    """Offers every rate to every server that can take it."""
    asked = command.Options(**given)
    rates = RATES[:1] if asked.quick else RATES
    scenarios = [Scenario("heartbeat", CONNECTIONS, STREAMS, rps=rate, client="load") for rate in rates]
    command.run("bench.openloop", ALL, (ours.NATIVE.name, ours.GRPCIO.name), scenarios, asked)


if __name__ == "__main__":
    main()
