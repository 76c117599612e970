"""The rules bite: each bug that replication must not have is caught when it is planted."""

from __future__ import annotations

import pytest

from laura_fast.testing.sim.simulation import run
from tests.sim.planted import BUGS, Bug

LIMIT = 300
"""Seeds for each bug in a run of the tests; the record takes up to 1,000."""


@pytest.mark.parametrize("bug", [bug for bug in BUGS if not bug.rare], ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    caught = bug.catch(limit=LIMIT)
    assert caught, "no seed broke a rule"
    assert not run(caught.seed, bug.engine).violation, "the seed breaks a rule without the bug, too"
