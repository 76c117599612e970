"""The rules of votes, one by one; what many members do together is in tests/properties/test_election_model.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from laura_fast.domain.replication import events
from laura_fast.domain.replication.election import Election
from laura_fast.domain.replication.events import Ballot, Role
from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember

GROUP = Configuration(
    "rs0",
    2,
    (
        ReplicaMember("arbiter", "x:1", arbiter=True),
        ReplicaMember("me", "m:1"),
        ReplicaMember("other", "o:1", priority=5),
        ReplicaMember("spare", "s:1", priority=0),
        ReplicaMember("third", "t:1"),
    ),
)
LAST = Position(2, 7)
ASKED = events.VoteAsked(0.5, "other", 4, LAST, "rs0", 2)


def machine(
    me: str = "me", *, may_stand: bool = True, acknowledged: Position | None = None, ballot: Ballot | None = None
) -> Election:
    return Election(
        me,
        GROUP,
        ballot or Ballot(3),
        LAST,
        timeout_s=1.0,
        jitter=lambda: 0.0,
        now=0.0,
        may_stand=may_stand,
        acknowledged=acknowledged,
    )


def asked(member: Election, **changed: Any) -> events.VoteAnswer:
    answer = member.step(replace(ASKED, **changed)).answer
    assert answer
    return answer


def test_a_vote_is_persisted_with_its_term_before_it_is_told() -> None:
    step = machine().step(ASKED)
    assert step.ballot == Ballot(4, "other")
    assert step.answer == events.VoteAnswer(granted=True, term=4, reason="granted")


def test_the_same_question_again_gets_the_same_answer_and_another_candidate_none() -> None:
    member = machine()
    assert asked(member).granted
    assert asked(member).granted
    assert not asked(member, candidate="third").granted
    assert asked(member, candidate="third", term=5).granted


@pytest.mark.parametrize(
    ("changed", "reason", "term"),
    [
        ({"term": 2}, "term 2 is over", 3),
        ({"term": 0}, "no term", 3),
        ({"candidate": ""}, "no candidate", 3),
        ({"candidate": "stranger", "term": 9}, "not an electable member", 3),
        ({"candidate": "spare", "term": 9}, "not an electable member", 3),
        ({"replica_set": "rs1", "term": 9}, "another replica set", 3),
        ({"last": None}, "did not say", 4),
        ({"last": Position(2, 6)}, "log ends before ours", 4),
        ({"last": Position(1, 99)}, "log ends before ours", 4),
        ({"config_version": 1}, "out of date", 4),
    ],
)
def test_refusals_name_their_reason_and_strangers_change_no_term(
    changed: dict[str, Any], reason: str, term: int
) -> None:
    member = machine()
    answer = asked(member, **changed)
    assert not answer.granted
    assert reason in answer.reason
    assert answer.term == member.term == term


def test_a_configuration_of_a_later_term_is_newer_whatever_its_version() -> None:
    member = machine()
    member.step(events.Reconfigured(0.1, replace(GROUP, term=3)))
    assert "out of date" in asked(member, config_version=9).reason
    assert asked(member, config_term=3, config_version=2, term=5).granted


def test_who_is_elected_makes_the_configuration_one_of_its_term() -> None:
    member = machine()
    elect(member)
    assert member.configuration == replace(GROUP, term=4)
    assert member.step(events.Reconfigured(1.1, replace(GROUP, term=3, version=9))) == events.Step()


def test_a_primary_makes_the_next_version_only_of_its_own() -> None:
    member = machine()
    elect(member)
    after = member.configuration.changed(member.configuration.members)
    for wrong in (replace(after, term=3), replace(after, version=9)):
        assert member.step(events.ChangeAsked(1.1, wrong)) == events.Step()
    step = member.step(events.ChangeAsked(1.1, after))
    assert (step.configuration, step.beat) == (after, True)


def test_who_stepped_down_does_not_run_again_while_it_is_frozen() -> None:
    member = machine()
    elect(member)
    member.step(events.StepDownAsked(1.1, 1.5, force=True, freeze_s=5.0))
    member.step(events.Ticked(1.5))
    assert member.step(events.Ticked(6.0)).ask is None
    assert member.step(events.Ticked(9.0)).ask


def test_a_dry_run_changes_nothing() -> None:
    member = machine()
    wake = member.wake_at
    step = member.step(replace(ASKED, dry_run=True))
    assert step == events.Step(answer=events.VoteAnswer(granted=True, term=3, reason="granted"))
    assert (member.ballot, member.wake_at) == (Ballot(3), wake)


def test_who_heard_a_primary_refuses_a_dry_run_for_one_timeout_but_not_a_hand_over() -> None:
    member = machine()
    member.step(events.PrimaryHeard(0.0, "third", 3, LAST))
    assert "the primary third was heard" in asked(member, dry_run=True, now=0.9).reason
    assert asked(member, dry_run=True, now=0.9, hand_off=True).granted
    assert asked(member, dry_run=True, now=1.0).granted


def test_an_arbiter_keeps_a_healthy_primary_of_the_same_or_a_higher_priority() -> None:
    arbiter = machine("arbiter")
    arbiter.step(events.PrimaryHeard(0.0, "other", 3, LAST))
    assert "healthy primary other" in asked(arbiter, candidate="third").reason
    assert asked(arbiter, candidate="third", term=5, now=1.0).granted


def test_a_member_that_came_empty_may_not_vote_before_its_initial_sync() -> None:
    member = machine(may_stand=False)
    assert "may not vote" in asked(member).reason
    assert member.step(events.Ticked(5.0)).ask is None
    member.step(events.SyncEnds())
    assert member.ballot == Ballot(4, "me")  # it may have voted in this term before it lost its ballot
    assert "may not vote" in asked(member, term=5).reason
    member.step(events.Synced())
    assert asked(member, term=5).granted
    assert member.step(events.Ticked(5.0)).ask


def test_a_member_that_copies_everything_votes_by_the_end_of_the_log_it_had() -> None:
    member = machine(ballot=Ballot(3, "third"))
    member.step(events.SyncBegan(Position(3, 20)))
    for emptied in (Position(0, 0), Position(3, 20)):  # whatever the half copy's log says
        member.step(events.LogGrew(emptied))
        assert "log ends before ours" in asked(member, last=Position(2, 6), dry_run=True).reason
        assert asked(member, last=LAST, dry_run=True).granted
    assert "voted for third" in asked(member, term=3, last=Position(3, 9)).reason
    assert asked(member).granted
    assert "voted for other" in asked(member, candidate="third").reason


def test_a_member_that_copies_everything_does_not_run_nor_ask_for_the_lead() -> None:
    member = machine("other", ballot=Ballot(3))
    member.step(events.SyncBegan(Position(3, 20)))
    member.step(events.PrimaryHeard(0.0, "third", 3, LAST))
    assert member.step(events.Ticked(1.0)).ask_hand_off == ""
    assert member.step(events.RunAsked(1.1, 3, "handed over")).ask is None
    assert member.step(events.Ticked(9.0)).ask is None
    assert member.role is Role.FOLLOWER


def test_a_copy_that_is_complete_keeps_the_ballot_and_counts_by_its_own_end() -> None:
    member = machine(may_stand=False, acknowledged=LAST, ballot=Ballot(3))  # restarted in the middle
    member.step(events.LogGrew(Position(3, 20)))
    assert member.step(events.SyncEnds()) == events.Step()
    assert asked(member, last=LAST, dry_run=True).granted  # as long as it is not on disk that the copy counts
    member.step(events.Synced())
    assert "log ends before ours" in asked(member, last=LAST, dry_run=True).reason
    assert member.step(events.Ticked(9.0)).ask


def test_a_copy_that_starts_over_votes_by_the_first_end_and_never_a_copy_that_ends_before_it() -> None:
    member = machine()
    member.step(events.SyncBegan(Position(3, 20)))
    member.step(events.LogGrew(Position(3, 20)))
    member.step(events.SyncBegan(Position(3, 25)))
    assert member.acknowledged == LAST
    member.step(events.LogGrew(Position(2, 6)))
    for event in (events.SyncEnds(), events.SyncBegan(Position(1, 99))):
        with pytest.raises(AssertionError, match="lacks what was acknowledged"):
            member.step(event)


def test_who_came_empty_stays_without_a_vote_when_its_copy_begins_or_starts_over() -> None:
    member = machine(may_stand=False)
    for _ in range(2):
        member.step(events.SyncBegan(Position(3, 20)))
        assert "may not vote" in asked(member).reason


@pytest.mark.parametrize("me", ["spare", "arbiter"])
def test_who_may_not_lead_never_runs(me: str) -> None:
    member = machine(me)
    assert member.step(events.Ticked(5.0)) == events.Step()
    assert asked(member, now=6.0).granted


def elect(member: Election) -> None:
    for dry_run in (True, False):
        if dry_run:
            member.step(events.Ticked(1.0))
        for voter in ("other", "third"):
            member.step(events.VoteTold(1.0, voter, 4, 3 + (not dry_run), granted=True, dry_run=dry_run))
    assert member.role is Role.PRIMARY


def test_a_primary_that_sees_a_higher_term_follows() -> None:
    member = machine()
    elect(member)
    step = member.step(events.MemberHeard(1.1, "third", 9, LAST))
    assert (step.ballot, step.role) == (Ballot(9), Role.FOLLOWER)


def test_a_primary_whose_disk_stalls_steps_down() -> None:
    member = machine()
    elect(member)
    assert member.step(events.Stalled(1.1)).role is Role.FOLLOWER


def test_a_step_down_waits_for_a_majority_and_takes_writes_again_when_none_caught_up() -> None:
    member = machine()
    elect(member)
    assert member.step(events.StepDownAsked(1.1, 2.0)).writes is False
    for voter in ("other", "third", "spare"):
        step = member.step(events.MemberHeard(1.2, voter, 4, Position(2, 6)))
        assert step == events.Step()
    for voter in ("other", "third"):
        member.step(events.MemberHeard(1.9, voter, 4, Position(2, 6)))
    assert member.step(events.Ticked(2.0)).writes is True
    assert member.role is Role.PRIMARY


def test_a_forced_step_down_ends_without_a_successor() -> None:
    member = machine()
    elect(member)
    member.step(events.StepDownAsked(1.1, 1.5, force=True))
    assert member.step(events.Ticked(1.5)).role is Role.FOLLOWER


def test_the_successor_is_the_best_of_those_that_caught_up() -> None:
    member = machine()
    elect(member)
    member.step(events.StepDownAsked(1.1, 2.0))
    assert member.step(events.MemberHeard(1.2, "spare", 4, LAST)).hand_off == ""
    assert member.step(events.MemberHeard(1.2, "other", 4, LAST)).hand_off == "other"
    assert member.role is Role.FOLLOWER


def test_the_higher_priority_asks_for_the_lead_once_it_has_caught_up() -> None:
    member = machine("other")
    member.step(events.PrimaryHeard(0.0, "third", 3, Position(2, 8)))
    member.step(events.PrimaryHeard(0.9, "third", 3, Position(2, 8)))
    assert member.step(events.Ticked(1.0)).ask_hand_off == "", "it lacks an entry"
    member.step(events.LogGrew(Position(2, 8)))
    member.step(events.PrimaryHeard(1.9, "third", 3, Position(2, 8)))
    assert member.step(events.Ticked(2.0)).ask_hand_off == "third"


def test_a_removed_member_leads_no_more() -> None:
    member = machine()
    elect(member)
    smaller = GROUP.changed([each for each in GROUP.members if each.id != "me"])
    step = member.step(events.Reconfigured(1.1, replace(smaller, term=member.term + 1)))
    assert step.role is Role.FOLLOWER
    assert not member.belongs
    assert member.step(events.Ticked(9.0)).ask is None
