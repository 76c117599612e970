"""Which scenarios a session runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from laura_fast.report.raw.rivals import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from laura_fast.report.raw.rivals import Topology

SHAPES: Final = ("10x10", "50x20", "1000x1", "1x1")
RATES: Final = (1000, 2500, 5000)
"""Requests per second of the open loop: within what every rival can do on one core, so that all meet them."""
OPEN_LOOP_SHAPE: Final = (10, 100)
"""Far more streams than needed. A cap that binds would turn the open loop into a closed one."""
REGISTRATION_SHAPE: Final = (2, 8)
"""A rolling restart, not a storm: a handful of nodes join at the same moment."""


def shape(text: str) -> tuple[int, int]:
    """Reads "50x20": connections and streams of each.

    Raises:
        ValueError: It doesn't read as two positive numbers.
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise ValueError(f"a shape is CONNECTIONSxSTREAMS, not {text!r}")
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class Plan:
    """What to vary. Every combination of the first five is a heartbeat scenario; each join is a registration one."""

    shapes: Sequence[str] = SHAPES
    rates: Sequence[int] = RATES
    load_percents: Sequence[int] = ()
    nodes: Sequence[int] = (100,)
    topologies: Sequence[Topology] = ("changed",)
    joins: Sequence[int] = (100,)
    """How many nodes register, one after the other, with an empty registry at first."""

    def scenarios(self) -> list[Scenario]:
        """All scenarios, in the order of the tables."""
        kinds = [*self._closed(), *self._open()]
        beats = [
            replace(kind, nodes=nodes, topology=topology)
            for topology in self.topologies
            for nodes in self.nodes
            for kind in kinds
        ]
        joins = [Scenario("registration", *REGISTRATION_SHAPE, nodes=count) for count in self.joins]
        return beats + joins

    def _closed(self) -> Iterator[Scenario]:
        return (Scenario("heartbeat", *shape(text)) for text in self.shapes)

    def _open(self) -> Iterator[Scenario]:
        for rps in self.rates:
            yield Scenario("heartbeat", *OPEN_LOOP_SHAPE, rps=rps)
        for percent in self.load_percents:
            yield Scenario("heartbeat", *OPEN_LOOP_SHAPE, load_percent=percent)


QUICK: Final = Plan(shapes=("10x10",), rates=(500,), nodes=(10,), joins=(20,))
"""A smoke run: everything once, nothing to conclude from."""
