"""What a member that comes empty concludes from the answers of the others."""

from __future__ import annotations

import pytest

from laura_fast.domain.replication.members import BEGINNING, Configuration, Position, ReplicaMember, Stamp
from laura_fast.node.replication.greeting import is_confirmed, is_new
from laura_fast.node.replication.messages import Report
from laura_fast.services.replication import conversions


def says(member: str, term: int, last: Position = BEGINNING, *, may_vote: bool = True) -> Report:
    return Report(member, term, last, last, may_vote=may_vote)


@pytest.mark.parametrize(
    ("answers", "new"),
    [
        ([], True),
        ([says("a", 0), says("b", 0)], True),
        ([says("a", 3), says("b", 0)], True),
        ([says("a", 0, Position(1, 9)), says("b", 0)], True),
        ([says("a", 3, Position(1, 9)), says("b", 0)], False),
        ([says("a", 0), None], False),
    ],
    ids=["alone", "all empty", "one asked for votes", "one was alone before", "one was elected", "one is silent"],
)
def test_a_set_is_new_when_all_others_say_so(answers: list[Report | None], new: bool) -> None:
    assert is_new(answers) is new


@pytest.mark.parametrize(
    ("voters", "unaware", "confirmed"),
    [
        (1, 0, False),
        (2, 1, True),
        (3, 1, False),
        (3, 2, True),
        (4, 1, False),
        (4, 2, True),
        (5, 2, False),
        (5, 3, True),
    ],
)
def test_so_many_know_of_no_later_term_that_every_majority_has_one_of_them(
    voters: int, unaware: int, confirmed: bool
) -> None:
    ids = [f"n{number}" for number in range(voters)]
    members = (*(ReplicaMember(each, f"{each}:1") for each in ids), ReplicaMember("hidden", "hidden:1", 0, votes=False))
    configuration = Configuration("rs0", 1, members)
    answers = [says(each, 7) for each in ids[1 : unaware + 1]]
    answers += [says(each, 8) for each in ids[unaware + 1 :]]
    assert is_confirmed(configuration, "n0", 7, [*answers, says("hidden", 7), None]) is confirmed


def test_who_lost_its_own_votes_can_say_nothing_of_those_of_others() -> None:
    configuration = Configuration("rs0", 1, tuple(ReplicaMember(f"n{number}", f"n{number}:1") for number in range(3)))
    assert is_confirmed(configuration, "n0", 7, [says("n1", 7), says("n2", 7)])
    assert not is_confirmed(configuration, "n0", 7, [says("n1", 7), says("n2", 7, may_vote=False)])


@pytest.mark.parametrize("may_vote", [True, False])
def test_an_answer_is_the_same_on_the_wire(may_vote: bool) -> None:
    said = Report("n1", 7, Position(6, 90), Position(6, 89), Stamp(5, 2), may_vote)
    assert conversions.report(conversions.report_message(said)) == said
