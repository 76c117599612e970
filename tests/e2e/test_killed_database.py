"""A server killed under load has every answered write, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.killing import kill_often

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 4


async def test_what_was_answered_is_there_once(tmp_path: Path) -> None:
    tally = await kill_often(tmp_path, KILLS, seed="test")
    assert tally.kills == KILLS
    assert tally.retries
    assert tally.repetitions
    assert tally.increments.total() > KILLS
