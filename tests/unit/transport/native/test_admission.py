"""Who may come in, who waits, and who gives way: on counts alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.transport.native.admission import Admission, Place, origin_of

STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "prove", "leave"]), st.sampled_from(["a", "b", "c", ""]), st.integers(0, 30)),
    max_size=80,
)


class Door:
    """An admission, and who is where."""

    def __init__(self, most: int, most_unproven: int) -> None:
        self.admission = Admission(most, most_unproven)
        self.begun: list[str] = []
        self.turned_away: list[str] = []
        self.places: dict[str, Place] = {}

    def enter(self, name: str, host: str = "a") -> bool:
        place = self.admission.enter(host, lambda: self.begun.append(name), lambda: self._turn_away(name))
        if place is not None:
            self.places[name] = place
        return place is not None

    def leave(self, name: str) -> None:
        self.places.pop(name).leave()

    def _turn_away(self, name: str) -> None:
        self.turned_away.append(name)
        self.leave(name)

    def waiting(self) -> set[str]:
        return set(self.places) - set(self.begun)


def test_more_of_one_address_wait_and_come_in_turn() -> None:
    door = Door(10, 2)
    assert all(door.enter(name) for name in "1234")
    assert door.begun == ["1", "2"]
    door.places["2"].prove()
    assert door.begun == ["1", "2", "3"]
    door.leave("1")
    assert door.begun == ["1", "2", "3", "4"]


def test_a_place_is_given_back_once_however_often_it_is_said() -> None:
    door = Door(10, 1)
    assert all(door.enter(name) for name in "1234")
    first = door.places["1"]
    for act in (first.prove, first.prove, first.leave, first.leave, first.prove):
        act()
    assert door.begun == ["1", "2"]


def test_leaving_twice_frees_one_place() -> None:
    door = Door(2, 2)
    assert all(door.enter(name) for name in "12")
    first = door.places["1"]
    first.leave()
    first.leave()
    assert door.enter("3")
    assert not door.enter("4")


def test_another_address_does_not_wait_behind_them() -> None:
    door = Door(10, 1)
    assert all(door.enter(name) for name in "123")
    assert door.enter("other", "b")
    assert door.begun == ["1", "other"]


def test_without_places_the_last_of_the_longest_queue_gives_way() -> None:
    door = Door(6, 1)
    assert all(door.enter(name) for name in "1234")
    assert door.enter("x", "b")
    assert door.enter("y", "b")
    assert door.enter("other", "c")
    assert door.turned_away == ["4"]
    assert door.begun == ["1", "x", "other"]


def test_without_places_and_nobody_waiting_a_newcomer_is_refused() -> None:
    door = Door(2, 2)
    assert door.enter("1")
    assert door.enter("2")
    assert not door.enter("other", "b")
    door.leave("1")
    assert door.enter("other", "b")


def test_unix_sockets_never_wait() -> None:
    door = Door(3, 1)
    assert all(door.enter(name, "") for name in "123")
    assert door.begun == ["1", "2", "3"]
    assert not door.enter("4", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    """A customer's IPv6 addresses are 2^64: counted one by one, they would be no limit."""
    assert (origin_of(one) == origin_of(other)) is same


@given(steps=STEPS, most=st.integers(1, 12), share=st.integers(1, 4))
def test_whatever_happens_the_limits_hold_and_nobody_waits_for_nothing(
    steps: list[tuple[str, str, int]], most: int, share: int
) -> None:
    door = Door(most, share)
    host_of, proven = dict[str, str](), set[str]()
    for number, (step, host, chosen) in enumerate(steps):
        inside = sorted(set(door.places) - door.waiting(), key=int)
        if step == "enter":
            host_of[str(number)] = host
            crowded = len(door.places) >= most and not door.waiting()
            assert door.enter(str(number), host) is not crowded
        elif step == "prove" and inside:
            proven.add(inside[chosen % len(inside)])
            door.places[inside[chosen % len(inside)]].prove()
        elif step == "leave" and door.places:
            door.leave(list(door.places)[chosen % len(door.places)])
        waiting = door.waiting()
        assert len(door.places) <= most
        for each in "abc":
            unproven = [n for n in door.places if host_of[n] == each and n not in waiting | proven]
            assert len(unproven) <= share
            assert len(unproven) == share or not [n for n in waiting if host_of[n] == each]
        assert len(set(door.begun)) == len(door.begun)
