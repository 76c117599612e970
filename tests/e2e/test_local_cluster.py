"""A local replica set by one command, looked at, handed over, grown, and put back together after a kill."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from laura_fast.client import ClusterClient
from laura_fast.client.documents import DocumentClient
from laura_fast.client.local.plan import free_ports
from tests.e2e.processes import ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMESPACE = "shop.orders"
STEP_DOWNS = 3
USUAL_GAP_S = 0.3 if len(os.sched_getaffinity(0)) > 1 else 0.6
LONGEST_GAP_S = 1.0
"""Three servers, a client and a command share the machine: one hand-over may have to wait for a core, not most."""


def command(*arguments: str, code: int = 0) -> str:
    """Runs a command to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "laura_fast", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def ended(pid: int) -> bool:
    """Whether a process runs no more; whether init has buried it is not our business."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class LocalCluster:
    """What `cluster up` made."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "set"
        self._ready = directory / "ready.json"

    def up(self, code: int = 0, replicas: int = 3) -> str:
        where = ("--data-dir", str(self._directory), "--ready-file", str(self._ready))
        return command("cluster", "up", "--replicas", str(replicas), *where, "--election-timeout", "1s", code=code)

    def down(self) -> str:
        return command("cluster", "down", "--data-dir", str(self._directory))

    @property
    def ready(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self._ready.read_text())
        return found

    @property
    def addresses(self) -> list[str]:
        return [member["address"] for member in self.ready]

    @property
    def pids(self) -> dict[str, int]:
        return {
            path.parent.name: json.loads(path.read_text())["pid"] for path in self._directory.glob("*/process.json")
        }

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(command("rs", "status", "-s", ",".join(self.addresses), "-o", "json"))
        return told

    def state_of(self, member_id: str) -> str:
        return next(str(member["state"]) for member in self.status()["members"] if member["id"] == member_id)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCluster]:
    cluster = LocalCluster(tmp_path)
    yield cluster
    cluster.down()


async def write_all_the_time(addresses: list[str], stop: asyncio.Event) -> list[float]:
    """One write after the other; when each was acknowledged."""
    times: list[float] = []
    async with ClusterClient(addresses) as cluster:
        client = DocumentClient(cluster, timeout_s=10)
        for number in itertools.count():
            if stop.is_set():
                return times
            assert (await client.insert(NAMESPACE, [{"_id": number}])).inserted == 1
            times.append(time.monotonic())
    raise AssertionError


def longest_after(begun: list[float], times: list[float]) -> list[float]:
    """The longest time between two acknowledgements, from each beginning to the next."""
    pairs = list(itertools.pairwise(times))
    spans = itertools.pairwise([*begun, times[-1] + 1])
    return [max(after - before for before, after in pairs if start <= after < end) for start, end in spans]


@pytest.mark.timeout(240)
async def test_a_step_down_leaves_a_short_gap_and_no_error(local: LocalCluster) -> None:
    local.up()
    stop = asyncio.Event()
    writing = asyncio.create_task(write_all_the_time(local.addresses, stop))
    await asyncio.sleep(1)  # writes are under way
    begun = []
    for _ in range(STEP_DOWNS):
        begun.append(time.monotonic())
        told = await asyncio.to_thread(command, "rs", "step-down", "-s", local.addresses[0])
        await asyncio.sleep(1)
    stop.set()
    gaps = longest_after(begun, await writing)
    assert statistics.median(gaps) <= USUAL_GAP_S
    assert max(gaps) <= LONGEST_GAP_S
    status = local.status()
    assert told.split()[0] == status["primary_id"]
    assert "a step-down was asked for" in status["elections"][0]["reason"]
    assert "no primary was heard" in status["elections"][STEP_DOWNS]["reason"]


@pytest.mark.timeout(240)
def test_up_completes_what_half_runs_and_down_ends_everything(local: LocalCluster) -> None:
    local.up()
    assert sorted(member["role"] for member in local.ready) == ["primary", "secondary", "secondary"]
    before, addresses = local.pids, local.addresses
    os.kill(before["n2"], signal.SIGKILL)
    until(lambda: ended(before["n2"]), "death")
    until(lambda: local.state_of("n2") == "down", "news of the death")
    local.up()
    after = local.pids
    assert {each for each in after if after[each] == before[each]} == {"n1", "n3"}, "who ran is left alone"
    assert local.addresses == addresses
    assert "holds a set rs0 of 3 members" in local.up(code=2, replicas=5)
    assert local.down() == "3 members stopped\n"
    assert all(map(ended, after.values()))
    with pytest.raises(FileNotFoundError):
        _ = local.ready
    assert local.down() == "0 members stopped\n"


@pytest.mark.timeout(240)
def test_a_member_comes_leads_and_goes(local: LocalCluster, serve: Callable[..., ServerProcess]) -> None:
    local.up()
    [port] = free_ports("127.0.0.1", 1)
    newcomer = serve("--node-id", "n4", "--replica-set", "rs0", "--election-timeout", "1s", name="n4", port=port)
    assert newcomer.address
    command("rs", "add", f"n4=127.0.0.1:{port}", "--priority", "5", "-s", local.addresses[0])
    until(lambda: local.status()["primary_id"] == "n4", "take-over by the higher priority")
    assert "n4 has the higher priority" in local.status()["elections"][0]["reason"]
    assert "let it step down first" in command("rs", "remove", "n4", "-s", local.addresses[0], code=1)
    command("rs", "priority", "n4", "1", "-s", local.addresses[0])
    command("rs", "step-down", "-s", newcomer.address)
    command("rs", "remove", "n4", "-s", newcomer.address)
    newcomer.await_log("removed_from_replica_set")
    assert "n4 is no member: removed" in command("rs", "status", "-s", newcomer.address)
    assert [member["id"] for member in local.status()["members"]] == ["n1", "n2", "n3"]
