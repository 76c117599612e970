"""Which members a read is sent to."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest

from laura_fast.client.documents import Concern, Mode, Reading
from laura_fast.client.documents.selection import Member, suitable
from laura_fast.errors import ConfigError

PRIMARY = Member("p", primary=True, tags={"region": "north"}, round_trip_s=0.010)
NEAR = Member("near", primary=False, tags={"region": "north", "disk": "ssd"}, round_trip_s=0.001)
FAR = Member("far", primary=False, tags={"region": "south"}, round_trip_s=0.100)
FARTHER = Member("farther", primary=False, tags={"region": "west"}, round_trip_s=0.200)
ALL = (PRIMARY, FAR, FARTHER, NEAR)


def chosen(reading: Reading, *members: Member) -> list[str]:
    falling = count(9, -1)
    return suitable(members or ALL, reading, lambda: next(falling) / 10)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (Mode.PRIMARY, ["p"]),
        (Mode.PRIMARY_PREFERRED, ["p", "near", "far", "farther"]),
        (Mode.SECONDARY, ["near", "far", "farther"]),
        (Mode.SECONDARY_PREFERRED, ["near", "far", "farther", "p"]),
        (Mode.NEAREST, ["near", "p", "far", "farther"]),
    ],
)
def test_each_mode_has_its_order(mode: Mode, expected: list[str]) -> None:
    found = chosen(Reading(mode))
    assert sorted(found[:2]) == sorted(expected[:2])
    assert found[2:] == expected[2:]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(Mode.PRIMARY, []), (Mode.PRIMARY_PREFERRED, ["near"]), (Mode.SECONDARY_PREFERRED, ["near"])],
)
def test_without_a_primary_those_that_only_prefer_it_go_on(mode: Mode, expected: list[str]) -> None:
    assert chosen(Reading(mode), NEAR) == expected


def test_the_first_tag_set_that_somebody_has_decides() -> None:
    sets: tuple[dict[str, str], ...] = ({"region": "east"}, {"region": "south"}, {})
    assert chosen(Reading(Mode.SECONDARY, sets)) == ["far"]
    assert chosen(Reading(Mode.SECONDARY, ({"region": "east"}, {}))) == ["near", "far", "farther"]
    assert chosen(Reading(Mode.SECONDARY, ({"region": "east"},))) == []
    assert chosen(Reading(Mode.SECONDARY_PREFERRED, ({"region": "east"},))) == ["p"]
    assert chosen(Reading(Mode.NEAREST, ({"disk": "ssd"},))) == ["near"]


def test_reads_are_spread_over_those_within_the_window_and_no_others() -> None:
    dice = Random(1).random  # noqa: S311 - reproducible
    firsts = [suitable(ALL, Reading(Mode.NEAREST, window_s=0.015), dice)[0] for _ in range(1000)]
    assert 400 < firsts.count("p") < 600
    assert firsts.count("p") + firsts.count("near") == 1000
    wide = {suitable(ALL, Reading(Mode.NEAREST, window_s=1), dice)[0] for _ in range(200)}
    assert wide == {"p", "near", "far", "farther"}


def test_a_member_that_does_not_answer_comes_last() -> None:
    silent = Member("silent", primary=False, tags={}, round_trip_s=float("inf"))
    assert chosen(Reading(Mode.SECONDARY), silent, FAR) == ["far", "silent"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"max_staleness_s": 5, "mode": Mode.NEAREST}, "max staleness 5"),
        ({"tag_sets": ({"region": "north"},)}, "primary takes neither"),
        ({"mode": Mode.SECONDARY, "concern": Concern.LINEARIZABLE}, "linearizable"),
        ({"window_s": -1.0}, "window"),
    ],
)
def test_contradictions_are_named(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Reading(**arguments)  # type: ignore[arg-type]
