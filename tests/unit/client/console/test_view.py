"""What is known of a member, and what is not."""

import orjson

from laura_fast.client.console.view import view_of
from laura_fast.pb.laura.fast.v1 import admin_pb2


def test_the_lag_of_a_dead_member_is_not_a_number(status: admin_pb2.GetClusterStatusResponse) -> None:
    """Even where a server sends one."""
    view = view_of("s:1", status)
    assert [member.lag_entries for member in view.members] == [1234, None, None]


def test_what_a_member_never_told_is_none_rather_than_zero(status: admin_pb2.GetClusterStatusResponse) -> None:
    silent = view_of("s:1", status).members[2]
    assert (silent.last_beat_age_ms, silent.cpu_percent, silent.memory_bytes, silent.disk_bytes_total) == (None,) * 4
    assert silent.address == "[::1]:1"


def test_states_are_counted_worst_first(status: admin_pb2.GetClusterStatusResponse) -> None:
    assert view_of("s:1", status).states() == [("down", 1), ("suspect", 1), ("healthy", 1)]


def test_json_holds_everything(status: admin_pb2.GetClusterStatusResponse) -> None:
    document = orjson.loads(orjson.dumps(view_of("s:1", status).as_json(age_ms=70)))
    assert {key: value for key, value in document.items() if key != "members"} == {
        "server": "s:1",
        "observer_id": "server-1",
        "observed_at_ms": 1_700_000_000_000,
        "age_ms": 70,
        "topology_version": 12,
        "primary_id": "n1",
        "uptime_ms": 7_500_000,
        "server_version": "9.9",
        "replica_set": None,
        "replica_sets": [{"id": "rs", "node_ids": ["n1", "n2"], "term": "3"}],
        "shards": [{"shard_id": "s", "node_id": "n1"}],
    }
    assert document["members"][0] == {
        "id": "n1",
        "address": "10.0.0.1:27017",
        "role": "primary",
        "state": "healthy",
        "primary": True,
        "priority": 0,
        "incarnation": 1,
        "tags": {"disk": "ssd", "zone": "b"},
        "last_beat_age_ms": 300,
        "lag_entries": 1234,
        "clock_skew_ms": -3,
        "cpu_percent": 31.4,
        "memory_bytes": 1610612736,
        "disk_bytes_used": 50465865728,
        "disk_bytes_total": 107374182400,
    }
