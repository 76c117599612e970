"""What the session needs to know of a server under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.rivals import h2load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.rivals.load import Load, LoadResult, Target
    from bench.rivals.process import Running
    from laura_fast.report.raw.rivals import Call, Client, Scenario, Topology

    Drive = Callable[[Target, Load], LoadResult]


@dataclass(frozen=True)
class Launch:
    """How to start a server for one run, and where the load will come from."""

    core: int
    load_core: int
    scratch: Path
    """An empty folder of this run's own."""
    topology: Topology


@dataclass(frozen=True)
class Rival:
    """One server under test, as data and functions."""

    name: str
    title: str
    missing: Callable[[], str]
    """Why it can't run here; "" when it can."""
    version: Callable[[], str]
    start: Callable[[Launch], AbstractContextManager[Running]]
    """Starts it in its own process for the length of the block. Compiles first where that's needed."""
    prepare: Callable[[Running, Scenario, Launch], Target]
    """Fills the registry and finds out what a right answer weighs."""
    drive: Drive = h2load.run
    drivers: Mapping[Client, Drive] = field(default_factory=dict)
    """Its other load generators, for scenarios that name their client."""
    build: Callable[[], object] = field(default=lambda: None)
    """Compiles what the rival needs; called once before the first round."""
    caveat: str = ""
    calls: frozenset[Call] = frozenset({"heartbeat", "registration"})
    topologies: frozenset[Topology] = frozenset({"changed", "always"})
    open_loop: bool = True
    """Whether its load generator can hold a rate."""

    def plays(self, scenario: Scenario) -> bool:
        """Whether the scenario makes sense for this server."""
        able = scenario.call in self.calls and scenario.topology in self.topologies
        reachable = scenario.client == "h2load" or scenario.client in self.drivers
        return able and reachable and (self.open_loop or not (scenario.rps or scenario.load_percent))
