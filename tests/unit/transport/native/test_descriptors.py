"""When accepting pauses and when it goes on."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from laura_fast.transport.native import descriptors
from laura_fast.transport.native.descriptors import Descriptors

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("newest", "short"), [(3, False), (799, False), (800, True), (999, True)])
def test_four_fifths_are_for_connections(monkeypatch: pytest.MonkeyPatch, newest: int, short: bool) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000, 5_000))
    assert Descriptors().are_short(newest) is short


@pytest.mark.parametrize(("used", "plenty"), [(10, True), (749, True), (750, False), (799, False)])
def test_accepting_goes_on_well_below(monkeypatch: pytest.MonkeyPatch, used: int, plenty: bool) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000, 5_000))
    monkeypatch.setattr(descriptors, "in_use", lambda: used)
    assert Descriptors().are_plenty() is plenty


def test_without_a_limit_nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert not Descriptors().are_short(1_000_000)
    assert Descriptors().are_plenty()


def test_open_descriptors_are_counted(tmp_path: Path) -> None:
    before = descriptors.in_use()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert descriptors.in_use() == before + 2
    assert descriptors.in_use() == before


def test_they_are_counted_one_by_one_where_the_kernel_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(type(tmp_path)):  # type: ignore[misc]  # PosixPath
        """A directory whose size is 0, as before Linux 6.2."""

        def stat(self, **_: bool) -> object:
            return type("Stat", (), {"st_size": 0})

    for name in "abc":
        (tmp_path / name).touch()
    monkeypatch.setattr(descriptors, "_OPEN_FILES", Silent(tmp_path))
    assert descriptors.in_use() == 3
