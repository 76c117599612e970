"""Members that lose their directories while others know what they do not know any more, played by hand."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.replication.members import Configuration, ReplicaMember
from laura_fast.errors import RemoteError
from laura_fast.node.database.concerns import ReadConcern
from laura_fast.node.replication.copies import DocumentCopies
from laura_fast.testing.sim.directories import incomplete, tolerates
from laura_fast.testing.sim.knobs import TIMEOUT_S
from tests.sim.scenario import Scenario

if TYPE_CHECKING:
    from laura_fast.testing.sim.life import Life

SEEDS = range(3)
REGISTER = "r"


async def write(stand: Scenario, member_id: str, value: bytes) -> None:
    """Sets the register, safe on a majority."""
    await stand.ask(member_id, lambda life: life.write(lambda session: stand.engine.put(session, REGISTER, value)))


def lose(stand: Scenario, *lives: Life) -> None:
    """They come back at once, with nothing."""
    for life in lives:
        stand.lose_directory(life.id)
        stand.start(life.id)


def split(stand: Scenario, *sides: list[Life]) -> None:
    """Nothing passes between the sides."""
    of = {life.id: number for number, side in enumerate(sides) for life in side}
    stand.network.cut = {(one, other) for one in of for other in of if of[one] != of[other]}


# --- what the primary believed it had told ----------------------------------------------------------------------------


async def forget_the_configuration(stand: Scenario) -> None:
    primary = await stand.begin()
    await write(stand, primary.id, b"before")
    [one, _] = stand.secondaries
    await asyncio.sleep(TIMEOUT_S)
    assert one.member.configuration == primary.member.configuration
    lose(stand, one)
    await stand.until(stand.agree, "everybody has everything")
    assert stand.primary is primary, "the next primary would have told it anyway"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_member_that_lost_its_directory_is_told_the_configuration_again(seed: int) -> None:
    with closing(Scenario(seed)) as stand:
        stand.run(forget_the_configuration(stand))


# --- most of a majority -----------------------------------------------------------------------------------------------


async def lose_a_write_but_once(stand: Scenario, losers: int) -> None:
    """A write is safe on a majority, of which all but one lose it and hear a deposed primary that never had it."""
    deposed = await stand.begin()
    await write(stand, deposed.id, b"old")
    await stand.until(stand.agree, "everybody has the beginning")
    successor, *others = stand.secondaries
    lost, behind = others[:losers], others[losers:]
    split(stand, [deposed, *behind], [successor, *lost])
    await successor.member.run_now(deposed.member.term, "the test wants it")
    await stand.until(lambda: successor.member.leads, "the next term")
    await write(stand, successor.id, b"new")
    split(stand, [deposed, *behind, *lost], [successor])
    assert deposed.member.leads
    lose(stand, *lost)
    await asyncio.sleep(8 * TIMEOUT_S)
    assert incomplete(stand) == {life.id for life in lost}, "nobody else knows what they acknowledged"
    stand.network.cut = set()
    await stand.until(stand.agree, "everybody has everything")
    assert stand.engine.read(stand.primary.store, REGISTER, None) == b"new"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("size", "losers"), [(3, 1), (5, 2)])
def test_who_lost_a_write_gets_it_back_from_who_has_it(size: int, losers: int, seed: int) -> None:
    with closing(Scenario(seed, size=size)) as stand:
        stand.run(lose_a_write_but_once(stand, losers))


# --- what it vouches for ----------------------------------------------------------------------------------------------


async def read_with_who_forgot_the_next_primary(stand: Scenario) -> None:
    """The only one who could tell a deposed primary of its successor loses its directory, and hears it again."""
    deposed = await stand.begin()
    await write(stand, deposed.id, b"old")
    await stand.until(stand.agree, "everybody has the beginning")
    successor, voter = stand.secondaries
    split(stand, [deposed], [successor, voter])
    await successor.member.run_now(deposed.member.term, "the test wants it")
    await stand.until(lambda: successor.member.leads, "the next term")
    await write(stand, successor.id, b"new")
    split(stand, [deposed, voter], [successor])
    assert deposed.member.leads
    lose(stand, voter)
    for _ in range(10):
        with pytest.raises(RemoteError, match="did not confirm"):
            await stand.ask(deposed.id, lambda life: life.shared.moment(ReadConcern.LINEARIZABLE, 0))
    assert stand.lives[voter.id].member.primary == deposed.member.primary, "it was heard"


@pytest.mark.parametrize("seed", SEEDS)
def test_who_lost_its_directory_confirms_no_primary(seed: int) -> None:
    with closing(Scenario(seed)) as stand:
        stand.run(read_with_who_forgot_the_next_primary(stand))


# --- the end of a copy ------------------------------------------------------------------------------------------------


async def lead_at_once_with_who_is_admitted(stand: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """The primary dies, and somebody else is to run, while it goes to the disk that the copy counts."""
    primary = await stand.begin()
    await write(stand, primary.id, b"before")
    loser, _ = stand.secondaries
    admit = DocumentCopies.admit

    async def admit_amid_news(copies: DocumentCopies) -> None:
        life = stand.lives[loser.id]
        stand.crash(primary, "killed")
        stand.loop.create_task(life.member.run_now(life.member.term, "for this test"), context=life.process.context)
        await admit(copies)

    monkeypatch.setattr(DocumentCopies, "admit", admit_amid_news)
    lose(stand, loser)
    await stand.until(lambda: primary.id not in stand.lives, "a copy that is complete")
    await stand.until(lambda: any(life.member.leads for life in stand.lives.values()), "both can do without the third")


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_admitted_on_disk_counts_whoever_is_followed_meanwhile(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Scenario(seed)) as stand:
        stand.run(lead_at_once_with_who_is_admitted(stand, monkeypatch))


# --- how many ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voters", "powerless", "missing", "tolerated"),
    [
        (1, 0, 1, False),
        (2, 0, 1, False),
        (3, 0, 0, True),
        (3, 0, 1, True),
        (3, 0, 2, False),
        (3, 1, 0, True),
        (3, 1, 1, False),
        (4, 0, 1, True),
        (4, 0, 2, False),
        (5, 0, 2, True),
        (5, 0, 3, False),
        (5, 1, 1, True),
        (5, 1, 2, False),
    ],
)
def test_a_majority_that_may_lead_must_be_left(voters: int, powerless: int, missing: int, tolerated: bool) -> None:
    members = [
        ReplicaMember(f"n{number}", f"n{number}:1", priority=int(number > powerless)) for number in range(1, voters + 1)
    ]
    members.append(ReplicaMember("n9", "n9:1", votes=False))
    lost = {"n9", *(f"n{number}" for number in range(voters + 1 - missing, voters + 1))}
    assert tolerates(Configuration("rs0", 1, tuple(members)), lost) is tolerated
