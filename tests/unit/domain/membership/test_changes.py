"""The pure step of membership: what a batch of changes makes of a topology."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from laura_fast.domain.membership.changes import Batch, Join, Leave, Observe, Place, Rules, step
from laura_fast.domain.membership.topology import TopologySnapshot
from laura_fast.domain.membership.values import (
    Member,
    NodeRole,
    NodeState,
    Observation,
    Registration,
    Shard,
    Tombstone,
)
from laura_fast.limits import membership as limits

if TYPE_CHECKING:
    from laura_fast.domain.membership.changes import Change


def encode(member: Member) -> bytes:
    return member.id.encode()


RULES = Rules(encode)


def join(node_id: str, **extra: object) -> Join:
    return Join(replace(Registration(node_id, "host", 1), **extra))  # type: ignore[arg-type]  # any field


def run(*changes: Change, rules: Rules = RULES, tombstones: dict[str, Tombstone] | None = None) -> Batch:
    return step(TopologySnapshot(), tombstones or {}, changes, rules)


def seen(node_id: str, state: NodeState, role: NodeRole = NodeRole.UNKNOWN, incarnation: int = 1) -> Observation:
    return Observation(node_id, incarnation, state, role)


def test_each_join_of_a_batch_has_its_own_version_and_delta() -> None:
    batch = run(join("b"), join("a"), join("b"))
    assert [outcome.accepted for outcome in batch.outcomes] == [True, True, False]
    assert [(delta.version, [member.id for member in delta.upserted]) for delta in batch.deltas] == [
        (2, ["b"]),
        (3, ["a"]),
    ]
    assert (batch.topology.version, [member.id for member in batch.topology.members]) == (3, ["a", "b"])


def test_the_step_leaves_its_input_alone() -> None:
    before = run(join("a")).topology
    after = step(before, {}, [Leave("a", "", 0), join("b")], RULES).topology
    assert [member.id for member in before.members] == ["a"]
    assert [member.id for member in after.members] == ["b"]


def test_refusals_alone_make_no_new_topology() -> None:
    before = TopologySnapshot()
    assert step(before, {}, [join(""), Leave("x", "", 0)], RULES).topology is before


def test_all_observations_of_a_batch_share_one_version() -> None:
    base = run(join("a"), join("b"), join("c")).topology
    observed = Observe((seen("a", NodeState.DOWN), seen("b", NodeState.SUSPECT), seen("c", NodeState.HEALTHY)))
    batch = step(base, {}, [observed], RULES)
    assert batch.topology.version == base.version + 1
    assert [(c.before and c.before.state, c.after and c.after.state) for c in batch.changed] == [
        (NodeState.HEALTHY, NodeState.DOWN),
        (NodeState.HEALTHY, NodeState.SUSPECT),
    ]


def test_observations_of_others_and_of_earlier_incarnations_change_nothing() -> None:
    base = run(join("a")).topology
    observed = Observe((seen("ghost", NodeState.DOWN), seen("a", NodeState.DOWN, incarnation=7)))
    assert step(base, {}, [observed], RULES).topology is base


def test_an_observation_lets_the_same_batch_take_over() -> None:
    base = run(join("a")).topology
    batch = step(base, {}, [Observe((seen("a", NodeState.DOWN),)), join("a", host="new")], RULES)
    (member,) = batch.topology.members
    assert (member.host, member.incarnation, member.state) == ("new", 2, NodeState.HEALTHY)


def test_only_the_elected_primary_is_primary() -> None:
    rules = replace(RULES, elected_primary="a")
    batch = run(join("a", role=NodeRole.PRIMARY), join("b", role=NodeRole.PRIMARY), rules=rules)
    assert [member.role for member in batch.topology.members] == [NodeRole.PRIMARY, NodeRole.SECONDARY]
    assert batch.topology.primary_id == "a"
    assert step(batch.topology, {}, [Leave("a", "", 0)], rules).topology.primary_id == ""


def test_deposed_primary_becomes_secondary_when_it_claims_again() -> None:
    base = run(join("a", role=NodeRole.PRIMARY), rules=replace(RULES, elected_primary="a")).topology
    batch = step(base, {}, [Observe((seen("a", NodeState.HEALTHY, NodeRole.PRIMARY),))], RULES)
    assert (batch.topology.members[0].role, batch.topology.primary_id) == (NodeRole.SECONDARY, "")


def test_tombstone_is_put_by_a_leave_and_taken_by_the_next_join() -> None:
    left = run(join("a"), Leave("a", "why", 5))
    assert left.tombstones == {"a": Tombstone("a", 1, "why", 5)}
    back = step(left.topology, {"a": Tombstone("a", 1, "why", 5)}, [join("a")], RULES)
    assert (back.topology.members[0].incarnation, back.tombstones) == (2, {"a": None})


def test_oldest_tombstones_are_forgotten_first() -> None:
    stones = {node_id: Tombstone(node_id, 1, "", 0) for node_id in "xyz"}
    rules = replace(RULES, max_tombstones=3)
    batch = run(join("a"), join("b"), Leave("a", "", 1), Leave("b", "", 2), rules=rules, tombstones=stones)
    assert [node_id for node_id, stone in batch.tombstones.items() if stone is None] == ["x", "y"]


def test_a_full_cluster_refuses_joins_but_not_take_overs() -> None:
    rules = replace(RULES, max_nodes=1)
    batch = run(join("a"), join("b"), join("a", take_over=True), rules=rules)
    assert [(outcome.accepted, outcome.full) for outcome in batch.outcomes] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_the_size_of_the_topology_is_bounded_and_counted_exactly() -> None:
    rules = replace(RULES, max_bytes=6)
    batch = run(join("aa"), join("bb"), join("c"), Leave("aa", "", 0), join("c"), rules=rules)
    assert [outcome.full for outcome in batch.outcomes] == [False, False, True, False, False]
    assert batch.topology.table.size_bytes == sum(len(member.entry) for member in batch.topology.members) == 5


def test_placement_makes_one_version_and_the_same_placement_none() -> None:
    shards = (Shard("s", "a"),)
    batch = run(Place((), shards), Place((), shards))
    assert (batch.topology.version, batch.topology.shards, len(batch.deltas)) == (2, shards, 1)


def test_find_by_id() -> None:
    topology = run(*(join(node_id) for node_id in ("b", "d", "a", "c"))).topology
    assert [member and member.id for member in map(topology.find, ("a", "d", "e", "", "aa"))] == [
        "a",
        "d",
        None,
        None,
        None,
    ]


def test_the_largest_allowed_node_fits_a_topology_many_times() -> None:
    tags = limits.MAX_TAGS * (limits.MAX_TAG_KEY_BYTES + limits.MAX_TAG_VALUE_BYTES)
    assert (limits.MAX_NODE_ID_BYTES + limits.MAX_HOST_BYTES + tags) * 1_000 < limits.MAX_TOPOLOGY_BYTES
