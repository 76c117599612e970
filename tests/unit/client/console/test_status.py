"""`status`, once and again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from laura_fast.client import ClusterClient, RetryPolicy
from laura_fast.client.console.status import MOST_ROWS, show_status
from laura_fast.errors import UnavailableError, UnreachableError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tests.unit.client.fake_cluster import FakeCluster
    from tests.unit.client.virtual_time import VirtualTime

ONE_PASS = RetryPolicy(max_passes=1)


class _EnoughError(Exception):
    """Ends a command that runs for ever."""


@pytest.fixture
def client(cluster: FakeCluster, time: VirtualTime) -> ClusterClient:
    cluster.put(pb.Node(id="n1", host="10.0.0.1", port=1, state=pb.HEALTHY))
    return ClusterClient(cluster.address, policy=ONE_PASS, timing=time.timing)


async def test_a_table_for_people(
    client: ClusterClient, make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    console = make_console()
    async with client:
        await show_status(client, console, as_json=False, every_s=None, timeout_s=5)
    assert "Cluster as fake at 127.0.0.1:" in shown(console)
    assert "n1     10.0.0.1:1   unknown   ● healthy" in shown(console)


async def test_one_document_for_programs(
    client: ClusterClient, make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    console = make_console(width=20)
    async with client:
        await show_status(client, console, as_json=True, every_s=None, timeout_s=5)
    document = orjson.loads(shown(console))
    assert (document["observer_id"], document["members"][0]["id"], document["error"]) == ("fake", "n1", "")
    assert '\n  "members": [' in shown(console)


async def test_a_first_look_that_fails_is_an_error(
    client: ClusterClient, cluster: FakeCluster, make_console: Callable[..., Console]
) -> None:
    cluster.failures.append(UnavailableError("stopping", "TEST"))
    async with client:
        with pytest.raises(UnreachableError):
            await show_status(client, make_console(), as_json=False, every_s=1, timeout_s=5)


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_later_failure_keeps_the_last_view_and_its_age(
    *,
    client: ClusterClient,
    cluster: FakeCluster,
    time: VirtualTime,
    make_console: Callable[..., Console],
    shown: Callable[[Console], str],
    as_json: bool,
) -> None:
    console = make_console(terminal=True)
    cluster.fail_after("GetClusterStatus", 1, UnavailableError("stopping", "TEST"))
    time.stop_after(2, _EnoughError())
    async with client:
        with pytest.raises(_EnoughError):
            await show_status(client, console, as_json=as_json, every_s=2, timeout_s=5)
    assert time.sleeps == [2, 2]
    last = shown(console).splitlines()[-1] if as_json else shown(console)
    if as_json:
        document = orjson.loads(last)
        assert (document["age_ms"], document["members"][0]["id"]) == (2000, "n1")
        assert "unavailable: stopping" in document["error"]
    else:
        assert "unavailable: stopping" in last
        assert "2.0 s ago" in last


async def test_of_a_large_cluster_the_worst_members_are_shown(
    cluster: FakeCluster, make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    for number in range(MOST_ROWS + 7):
        cluster.put(pb.Node(id=f"n{number:04}", host="h", port=1, state=pb.HEALTHY if number < MOST_ROWS else pb.DOWN))
    console = make_console()
    async with ClusterClient(cluster.address) as client:
        await show_status(client, console, as_json=False, every_s=None, timeout_s=5)
    lines = shown(console).splitlines()
    assert [line.split()[0] for line in lines[5:13]] == [f"n{MOST_ROWS + number}" for number in range(7)] + ["n0000"]
    assert lines[-1] == "… and 7 more; -o json has all"
