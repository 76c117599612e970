"""When a primary may change its set: what a change waits for, and what no change may do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember, Stamp
from laura_fast.domain.replication.progress import Progress, Reported
from laura_fast.domain.replication.reconfiguration import Rollout, check_change
from laura_fast.errors import FailedPreconditionError
from laura_fast.limits.replication import MAX_VOTER_LAG

TERM = 3
MEMBERS = tuple(ReplicaMember(each, f"{each}:1") for each in ("n1", "n2", "n3"))
BEFORE = Configuration("rs0", 4, MEMBERS, TERM)
NO_OP = 7


def at(op_id: int) -> tuple[Position, Position]:
    return Position(TERM, op_id), Position(TERM, op_id)


class Primary:
    """What n1 knows: everybody is at its end, everybody has the configuration."""

    def __init__(self) -> None:
        self.progress = Progress(BEFORE, TERM, NO_OP)
        self.rollout = Rollout("n1", BEFORE, NO_OP)
        self.alive = {"n1", "n2", "n3"}
        for each in ("n1", "n2", "n3"):
            self.progress.report(each, *at(NO_OP))
            self.rollout.report(each, BEFORE.stamp)

    def refusal(self, after: Configuration) -> str:
        with pytest.raises(FailedPreconditionError) as refused:
            self.allow(after)
        return refused.value.reason

    def allow(self, after: Configuration) -> None:
        check_change("n1", self.progress, self.rollout, after, self.alive)


def with_priority(member_id: str, priority: int) -> Configuration:
    return BEFORE.changed(
        [replace(each, priority=priority) if each.id == member_id else each for each in BEFORE.members]
    )


def test_a_change_may_be_made_when_a_majority_has_the_last_one_and_the_terms_no_op() -> None:
    Primary().allow(with_priority("n2", 5))


def test_a_change_waits_until_the_last_one_is_on_a_majority_of_its_own_members() -> None:
    primary = Primary()
    primary.rollout = Rollout("n1", BEFORE, NO_OP)
    assert primary.refusal(with_priority("n2", 5)) == "CHANGE_PENDING"
    primary.rollout.report("n2", Stamp(TERM, BEFORE.version - 1))
    assert primary.refusal(with_priority("n2", 5)) == "CHANGE_PENDING", "an older version is not this one"
    primary.rollout.report("n2", BEFORE.stamp)
    primary.allow(with_priority("n2", 5))


def test_a_change_waits_for_the_no_op_of_the_term() -> None:
    primary = Primary()
    primary.progress = Progress(BEFORE, TERM, NO_OP + 1)
    assert primary.refusal(with_priority("n2", 5)) == "CHANGE_PENDING"


def test_a_change_waits_until_what_the_last_members_committed_is_on_a_majority_of_the_new_ones() -> None:
    primary = Primary()
    primary.rollout.floor = NO_OP + 1
    primary.progress.report("n1", *at(NO_OP + 1))
    assert primary.refusal(with_priority("n2", 5)) == "CHANGE_PENDING"
    primary.progress.report("n3", *at(NO_OP + 1))
    primary.allow(with_priority("n2", 5))


@pytest.mark.parametrize("members", [MEMBERS[1:], (replace(MEMBERS[0], priority=0), *MEMBERS[1:])])
def test_a_primary_may_not_put_itself_out_of_office(members: tuple[ReplicaMember, ...]) -> None:
    assert Primary().refusal(BEFORE.changed(members)) == "PRIMARY_MUST_STAY"


def test_a_member_gets_a_vote_once_it_has_caught_up() -> None:
    primary = Primary()
    for each in ("n1", "n2"):
        primary.progress.report(each, *at(NO_OP + MAX_VOTER_LAG + 1))
    after = BEFORE.changed([*MEMBERS, ReplicaMember("n4", "n4:1")])
    assert primary.refusal(after) == "NOT_CAUGHT_UP"
    primary.progress.report("n4", *at(NO_OP + 1))
    assert primary.refusal(after) == "NOT_CAUGHT_UP", "it is not there"
    primary.alive.add("n4")
    primary.allow(after)
    primary.progress.reported["n4"] = Reported(*at(NO_OP))
    assert primary.refusal(after) == "NOT_CAUGHT_UP"
    primary.allow(BEFORE.changed([*MEMBERS, ReplicaMember("n5", "n5:1", votes=False)]))


def test_a_change_after_which_nobody_could_be_elected_is_refused() -> None:
    primary = Primary()
    primary.alive.remove("n3")
    primary.allow(BEFORE.changed(MEMBERS[:2]))
    assert primary.refusal(BEFORE.changed([MEMBERS[0], MEMBERS[2]])) == "NO_QUORUM"


def test_a_smaller_majority_commits_more_at_once() -> None:
    progress = Progress(BEFORE, TERM, NO_OP)
    progress.report("n1", *at(9))
    assert progress.reconfigure(BEFORE.changed([*MEMBERS[:2], replace(MEMBERS[2], votes=False)])) is False
    assert progress.reconfigure(Configuration("rs0", 9, MEMBERS[:1], TERM)) is True
    assert progress.commit == 9


def test_who_departed_is_told_until_it_says_that_it_knows() -> None:
    rollout = Rollout("n1", BEFORE, NO_OP, (ReplicaMember("n9", "n9:1"),))
    assert rollout.lacks("n9")
    rollout.report("n9", BEFORE.stamp)
    assert not rollout.departed


def test_who_lost_its_directory_lacks_what_it_was_told() -> None:
    primary = Primary()
    primary.rollout.report("n2", Stamp(0, 1))
    assert primary.rollout.lacks("n2")
    assert primary.rollout.complete, "two of three have it"
    primary.rollout.report("n3", Stamp(0, 1))
    assert primary.refusal(with_priority("n2", 5)) == "CHANGE_PENDING"


def test_a_member_without_a_configuration_waits() -> None:
    unknown = Configuration.unknown("rs0")
    assert unknown.stamp < BEFORE.stamp
    assert not unknown.is_majority(["n1"])
