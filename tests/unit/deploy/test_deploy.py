"""The files of deploy/ name commands and flags that exist, and metrics that the server has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from laura_fast.cli._group import commands
from laura_fast.observability.metrics import ClusterCollector, ClusterFigures, registry
from laura_fast.observability.rpc import RpcStats

DEPLOY = Path(__file__).parents[3] / "deploy"


def _command(name: str) -> click.Command:
    with click.Context(commands) as context:
        found = commands.get_command(context, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("Dockerfile", "serve"),
        ("Dockerfile", "health"),
        ("compose.yaml", "agent"),
        ("systemd/laura-fast.service", "serve"),
    ],
)
def test_each_command_has_the_flags_it_is_given(file: str, command: str) -> None:
    lines = [line for line in (DEPLOY / file).read_text().splitlines() if not line.startswith("#")]
    calls = [line.rpartition("CMD")[2] for line in lines if re.search(rf"\b{command}\b", line)]
    used = set(re.findall(r"(?<=[\s\"])--[a-z-]+", " ".join(calls)))
    known = {option for parameter in _command(command).params for option in parameter.opts}
    assert used
    assert used <= known


def test_the_board_asks_for_metrics_that_the_server_has() -> None:
    board = json.loads((DEPLOY / "grafana" / "cluster.json").read_text())
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    figures = ClusterFigures(topology_version=1, members={"healthy": 1}, heartbeats=0)
    shown = registry(RpcStats(), ClusterCollector(lambda: figures)).collect()
    names = {name for family in shown for name in (family.name, f"{family.name}_total", f"{family.name}_bucket")}
    assert set(re.findall(r"(?:laura_fast|grpc_server|process)_\w+", asked)) <= names
