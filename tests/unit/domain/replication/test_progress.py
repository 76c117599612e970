"""Commit points and write concerns."""

from __future__ import annotations

import pytest

from laura_fast.domain.replication.members import BEGINNING, Configuration, Position, ReplicaMember
from laura_fast.domain.replication.progress import Progress, Wanted, WriteConcern, check
from laura_fast.errors import FailedPreconditionError

MEMBERS = (
    ReplicaMember("a", "a:1", tags={"rack": "1"}),
    ReplicaMember("b", "b:1", tags={"rack": "1"}),
    ReplicaMember("c", "c:1", tags={"rack": "2"}),
    ReplicaMember("d", "d:1", priority=0, votes=False, tags={"rack": "3"}),
)
GROUP = Configuration("rs0", 1, MEMBERS)
WITH_ARBITER = Configuration("rs0", 1, (*MEMBERS[:2], ReplicaMember("z", "z:1", arbiter=True)))
TERM, NO_OP = 3, 10


def at(op_id: int, term: int = TERM) -> Position:
    return Position(term, op_id)


@pytest.fixture
def progress() -> Progress:
    return Progress(GROUP, TERM, NO_OP)


def test_the_commit_point_is_what_a_majority_of_the_voters_has_on_disk(progress: Progress) -> None:
    assert not progress.report("a", at(15), at(15))
    assert not progress.report("d", at(15), at(15)), "it has no vote"
    assert not progress.report("b", at(14), BEGINNING), "applied is not on disk"
    assert progress.report("b", at(14), at(12))
    assert progress.commit == 12
    assert progress.report("c", at(14), at(14))
    assert progress.commit == 14


def test_nothing_is_committed_before_the_first_entry_of_the_term(progress: Progress) -> None:
    progress.report("a", at(NO_OP - 1, TERM - 1), at(NO_OP - 1, TERM - 1))
    assert not progress.report("b", at(NO_OP - 1, TERM - 1), at(NO_OP - 1, TERM - 1))
    progress.report("a", at(NO_OP), at(NO_OP))
    assert progress.report("b", at(NO_OP), at(NO_OP))
    assert progress.commit == NO_OP


def test_an_end_of_another_term_counts_for_nothing(progress: Progress) -> None:
    progress.report("a", at(20), at(20))
    assert not progress.report("b", at(20, TERM - 1), at(20, TERM - 1)), "its entries may be rolled back"
    assert not progress.reached(20, WriteConcern(2))


def test_reports_never_take_anything_back(progress: Progress) -> None:
    progress.report("a", at(20), at(20))
    progress.report("b", at(20), at(20))
    assert not progress.report("b", at(5), at(5))
    assert progress.commit == 20


def test_write_concerns(progress: Progress) -> None:
    progress.report("a", at(20), at(20))
    assert progress.reached(20, WriteConcern(0))
    assert progress.reached(20, WriteConcern(1))
    assert not progress.reached(20, WriteConcern(2))
    progress.report("d", at(20), BEGINNING)
    assert progress.reached(20, WriteConcern(2, journal=False))
    assert not progress.reached(20, WriteConcern(2))
    assert not progress.reached(20, WriteConcern(Wanted.MAJORITY))
    progress.report("b", at(20), at(20))
    assert progress.reached(20, WriteConcern(Wanted.MAJORITY))
    assert not progress.reached(20, WriteConcern("rack")), "a and b are in one rack of three"
    progress.report("d", at(20), at(20))
    assert progress.reached(20, WriteConcern("rack"))


def test_an_arbiter_counts_for_the_majority_but_has_no_data() -> None:
    progress = Progress(WITH_ARBITER, TERM, NO_OP)
    progress.report("a", at(20), at(20))
    assert not progress.report("z", BEGINNING, BEGINNING)
    assert progress.report("b", at(20), at(20))


@pytest.mark.parametrize("wanted", [4, "planet"])
def test_what_can_never_be_met_is_refused_before_the_write(wanted: int | str) -> None:
    with pytest.raises(FailedPreconditionError, match=str(wanted)):
        check(Configuration("rs0", 1, MEMBERS[:3]), WriteConcern(wanted))


@pytest.mark.parametrize("wanted", [0, 3, "rack", Wanted.MAJORITY])
def test_what_can_be_met_is_not_refused(wanted: int | str | Wanted) -> None:
    check(Configuration("rs0", 1, MEMBERS[:3]), WriteConcern(wanted))
