"""A configuration comes back from the disk as it went there."""

from __future__ import annotations

from laura_fast.domain.replication.members import Configuration, ReplicaMember
from laura_fast.node.replication import stored


def test_every_attribute_comes_back() -> None:
    members = (
        ReplicaMember("a", "[::1]:1", priority=7, tags={"rack": "1"}),
        ReplicaMember("b", "b:2", priority=0, votes=False),
        ReplicaMember("c", "c:3", arbiter=True),
    )
    configuration = Configuration("rs0", 9, members)
    assert stored.decode(stored.encode(configuration)) == configuration
