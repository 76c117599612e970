"""`python -m bench.rivals`: every server under test, interleaved in one session."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import click

from bench.rivals import command, plan
from bench.rivals.command import Listed, Options
from bench.rivals.subjects import ALL, BASELINES


class Shape(click.ParamType[str]):
    """CONNECTIONSxSTREAMS."""

    name = "shape"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            plan.shape(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


COUNTS = Listed(click.IntRange(min=1))
PERCENTS = Listed(click.IntRange(1, 100))
TOPOLOGIES = Listed(click.Choice(["changed", "always"]))
VARIED = {field.name for field in fields(plan.Plan)}


@click.command(help=__doc__)
@command.options(ALL)
@click.option("--shapes", type=Listed(Shape()), help="Closed loops, as CONNECTIONSxSTREAMS.")
@click.option("--rps", "rates", type=COUNTS, help="Open loops, in requests per second.")
@click.option("--load-percent", "load_percents", type=PERCENTS, help="Open loops, in percent of a subject's own rate.")
@click.option("--nodes", type=COUNTS, help="Registered nodes during heartbeats.")
@click.option("--joins", type=COUNTS, help="Nodes that register in a registration run.")
@click.option("--topology", "topologies", type=TOPOLOGIES, help="When beats are answered with the topology.")
def main(**given: Any) -> None:
    """Varies the load as asked and measures every subject."""
    varied = {name: given.pop(name) for name in VARIED}
    asked = Options(**given)
    base = plan.QUICK if asked.quick else plan.Plan()
    wanted = replace(base, **{name: values for name, values in varied.items() if values is not None})
    command.run("bench.rivals", ALL, BASELINES, wanted.scenarios(), asked)


if __name__ == "__main__":
    main()
