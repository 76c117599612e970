"""Configurations: majorities, ranks, and changes of one voter at a time."""

from __future__ import annotations

import pytest

from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember
from laura_fast.errors import FailedPreconditionError, InvalidArgumentError


def member(name: str, **changed: object) -> ReplicaMember:
    return ReplicaMember(name, f"{name}:1", **changed)  # type: ignore[arg-type]


def configuration(*members: ReplicaMember) -> Configuration:
    return Configuration("rs0", 1, members)


@pytest.mark.parametrize(("voters", "majority"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_a_majority_is_more_than_half_of_the_voters(voters: int, majority: int) -> None:
    group = configuration(*[member(f"n{number}") for number in range(voters)], member("z", votes=False, priority=0))
    assert group.majority == majority
    assert not group.is_majority({f"n{number}" for number in range(majority - 1)} | {"z", "stranger"})
    assert group.is_majority({f"n{number}" for number in range(majority)})


def test_logs_are_compared_by_term_first() -> None:
    assert Position(2, 1) > Position(1, 9)
    assert Position(2, 2) > Position(2, 1)


def test_rank_counts_the_electable_members_of_higher_priority() -> None:
    group = configuration(member("a", priority=5), member("b", priority=9, arbiter=True), member("c", priority=7))
    assert [group.rank(each) for each in ("c", "a", "unknown")] == [0, 1, 2]


@pytest.mark.parametrize(
    "members",
    [
        (),
        (member("a"), member("a")),
        (member("a", priority=0),),
        (member("a", arbiter=True),),
        (member("a", votes=False),),
        (member("a", priority=-1), member("b")),
        (member("a", priority=1001),),
        tuple(member(f"n{number}") for number in range(8)),
        tuple(member(f"n{number:02}", votes=number < 3) for number in range(51)),
    ],
)
def test_what_can_never_work_is_refused(members: tuple[ReplicaMember, ...]) -> None:
    with pytest.raises(InvalidArgumentError):
        configuration(*members)


def test_one_voter_at_a_time_may_come_or_go() -> None:
    group = configuration(member("a"), member("b"), member("c"))
    larger = group.changed([*group.members, member("d")])
    assert (larger.version, larger.majority) == (2, 3)
    assert group.changed([member("a"), member("b")]).voters == {"a", "b"}
    assert group.changed([*group.members, member("x", votes=False), member("y", votes=False)]).version == 2
    with pytest.raises(FailedPreconditionError, match="c, d"):
        group.changed([member("a"), member("b"), member("d")])
