"""Elections under faults, from seeds: at most one primary a term, no committed entry lost, and a primary in the end."""

from __future__ import annotations

import pytest

from laura_fast.domain.replication import events
from laura_fast.domain.replication.events import Role
from tests.properties.replica_set import TIMEOUT_S, Faults, ReplicaSet

SEEDS = 150


@pytest.mark.parametrize("members", [1, 2, 3, 5])
def test_a_healthy_set_elects_one_primary_within_two_attempts_and_keeps_it(members: int) -> None:
    for seed in range(20):
        group = ReplicaSet(seed, members)
        group.run(3.2 * TIMEOUT_S)  # the longest wait twice, should the first vote be split
        [primary] = group.leading
        group.run(20 * TIMEOUT_S)
        assert group.leading == [primary]
        assert len(group.primaries) == 1


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_nothing_committed_is_lost_and_the_set_recovers(first: int) -> None:
    for seed in range(first, first + 50):
        group = ReplicaSet(seed, 3 + 2 * (seed % 2))
        for _ in range(40):
            disturb(group)
            group.write()
            group.run(group.dice.uniform(0, TIMEOUT_S))
        heal(group)
        group.run(8 * TIMEOUT_S)
        [primary] = group.leading
        before = len(group.committed)
        group.write()
        group.run(2 * TIMEOUT_S)
        assert len(group.committed) > before, f"seed {seed}: {primary} commits nothing"
        assert {tuple(node.log) for node in group.nodes.values()} == {tuple(group.committed)}


def disturb(group: ReplicaSet) -> None:
    """One random change for the worse, or for the better."""
    dice, ids = group.dice, sorted(group.nodes)
    match dice.randrange(5):
        case 0:
            group.faults = Faults(dice.choice([0, 0.1, 0.4]), dice.choice([0, 0.2]), dice.choice([0.02, 0.3, 2.0]))
        case 1:
            pairs = [frozenset({one, other}) for one in ids for other in ids if one < other]
            group.cut = set(dice.sample(pairs, dice.randrange(len(pairs))))
        case 2:
            group.crash(dice.choice(ids))
        case 3:
            for node in group.nodes.values():
                if node.machine is None:
                    group.start(node.id)
        case _:
            if group.leading:
                asked = events.StepDownAsked(group.now, group.now + TIMEOUT_S, force=dice.random() < 0.5)
                group.step(dice.choice(group.leading), asked)


def heal(group: ReplicaSet) -> None:
    """Faults stop."""
    group.faults, group.cut = Faults(), set()
    for node in group.nodes.values():
        if node.machine is None:
            group.start(node.id)


def test_a_member_that_comes_back_from_isolation_deposes_nobody() -> None:
    for seed in range(20):
        group = ReplicaSet(seed, 3)
        group.run(3.2 * TIMEOUT_S)
        [primary] = group.leading
        lonely = next(each for each in group.nodes if each != primary)
        group.cut = {frozenset({lonely, other}) for other in group.nodes if other != lonely}
        group.run(10 * TIMEOUT_S)
        group.cut = set()
        group.run(5 * TIMEOUT_S)
        assert group.leading == [primary]
        assert len(group.primaries) == 1


def test_a_primary_cut_from_the_majority_steps_down_within_one_timeout_and_two_beats() -> None:
    for seed in range(20):
        group = ReplicaSet(seed, 3)
        group.run(3.2 * TIMEOUT_S)
        [primary] = group.leading
        group.cut = {frozenset({primary, other}) for other in sorted(group.nodes) if other != primary}
        group.run(1.5 * TIMEOUT_S)
        machine = group.nodes[primary].machine
        assert machine
        assert machine.role is not Role.PRIMARY
        group.run(2 * TIMEOUT_S)  # time for a second vote, should the first be split
        assert len(group.leading) == 1


def test_a_planned_step_down_hands_over_within_a_tenth_of_a_timeout() -> None:
    for seed in range(20):
        group = ReplicaSet(seed, 3)
        group.faults = Faults(slowest_s=0.01)
        group.run(3 * TIMEOUT_S)
        [before] = group.leading
        group.step(before, events.StepDownAsked(group.now, group.now + TIMEOUT_S))
        group.run(TIMEOUT_S / 10)
        [after] = group.leading
        assert after != before
