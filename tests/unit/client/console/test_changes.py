"""`watch`, line by line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from laura_fast.client import ClusterClient, Topology
from laura_fast.client.console.changes import as_line, as_record, report_retry, show_changes
from laura_fast.client.retry import RetryScheduled
from laura_fast.client.topology import changes
from laura_fast.errors import Code, InvalidArgumentError, RemoteError, UnreachableError
from laura_fast.pb.laura.fast.v1.membership_pb2 import TopologyDelta, TopologyEvent
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tests.unit.client.fake_cluster import FakeCluster
    from tests.unit.client.virtual_time import VirtualTime

NOON = dt.datetime(2026, 1, 2, 12, 0, 0, 7_000, tzinfo=dt.UTC)


def node(**fields: Any) -> pb.Node:
    return pb.Node(**{"id": "n1", "host": "h", "port": 1, "state": pb.HEALTHY, "incarnation": 1, **fields})


def topology(version: int, *nodes: pb.Node, primary_id: str = "") -> Topology:
    return Topology.from_message(pb.ClusterTopology(version=version, nodes=nodes, primary_id=primary_id))


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (None, node(role=pb.SHARD), ["joined     n1  h:1  shard"]),
        (node(), None, ["left       n1  h:1"]),
        (node(), node(state=pb.SUSPECT), ["suspect    n1  h:1  was healthy"]),
        (node(state=pb.DOWN), node(incarnation=2), ["back       n1  h:1  was down, life 2"]),
        (node(), node(incarnation=2), ["restarted  n1  h:1  life 2"]),
        (node(role=pb.SECONDARY), node(role=pb.CONFIG_SERVER), ["role       n1  h:1  secondary → config-server"]),
        (
            node(tags={"a": "1"}),
            node(host="g", priority=2),
            ["updated    n1  g:1  was at h:1, priority 0 → 2, tags none"],
        ),
        (node(), node(tags={"b": "2", "a": "1"}), ["updated    n1  h:1  tags a=1 b=2"]),
    ],
)
def test_a_line_names_what_when_who_and_from_what(
    before: pb.Node | None, after: pb.Node | None, lines: list[str]
) -> None:
    old, new = topology(6, *filter(None, [before])), topology(7, *filter(None, [after]))
    written = [as_line(change, NOON).plain for change in changes(old, new)]
    stamp = f"{NOON.astimezone():%H:%M:%S}.007  v7      "
    assert written == [stamp + line for line in lines]


def test_a_new_primary_has_a_line() -> None:
    change = changes(topology(1, node()), topology(2, node(), primary_id="n1"))[0]
    assert as_line(change, NOON).plain.endswith("primary    n1  h:1  unknown")


def test_a_record_holds_the_node_before_and_after() -> None:
    joined, left = (
        as_record(changes(old, new)[0], NOON)
        for old, new in ((topology(1), topology(2, node())), (topology(1, node()), topology(2)))
    )
    plain = {"id": "n1", "host": "h", "port": 1, "role": "unknown", "state": "healthy", "priority": 0}
    whole = {**plain, "incarnation": 1, "tags": {}}
    assert joined == {
        "at": "2026-01-02T12:00:00.007+00:00",
        "version": 2,
        "change": "joined",
        "node_id": "n1",
        "node": whole,
        "before": None,
    }
    assert (left["change"], left["node"], left["before"]) == ("left", None, whole)


@pytest.mark.parametrize("as_json", [True, False])
async def test_changes_go_to_the_output_and_remarks_beside_it(
    cluster: FakeCluster,
    time: VirtualTime,
    make_console: Callable[..., Console],
    shown: Callable[[Console], str],
    as_json: bool,
) -> None:
    out, notes = make_console(), make_console()
    delta = TopologyDelta(from_version=1, upserted=[node(), node(id="n2")])
    cluster.events = [TopologyEvent(version=2, delta=delta)]
    cluster.fail_after("WatchTopology", 1, InvalidArgumentError("enough", "TEST"))
    async with ClusterClient(cluster.address, timing=time.timing) as client:
        with pytest.raises(RemoteError, match="enough"):
            await show_changes(client, out, notes, as_json=as_json, timeout_s=5)
    lines = shown(out).splitlines()
    if as_json:
        assert [orjson.loads(line)["node_id"] for line in lines] == ["n1", "n2"]
    else:
        assert [line.split()[1:4] for line in lines] == [["v2", "joined", "n1"], ["v2", "joined", "n2"]]
    assert shown(notes) == f"watching {cluster.address} from version 1: 0 nodes\n"


def test_an_outage_is_reported_ever_more_rarely(
    make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    notes = make_console()
    error = UnreachableError([RemoteError("a:1", Code.UNAVAILABLE, "Connection refused")])
    for attempt in range(1, 17):
        report_retry(notes, RetryScheduled(error, attempt, 1.0))
    assert shown(notes).count("a:1: connection refused (is a server running there?); trying again\n") == 5
