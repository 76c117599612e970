"""Recorded commands repeat a run on any machine."""

from __future__ import annotations

from bench.commands import repeatable


def test_the_place_of_the_output_is_left_out() -> None:
    assert repeatable(["--rounds", "5", "--out", "somewhere", "--only", "a,b"]) == ["--rounds", "5", "--only", "a,b"]
    assert repeatable(["--out=somewhere", "--quick"]) == ["--quick"]
    assert repeatable([]) == []
