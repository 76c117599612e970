"""Write concerns of requests, in the terms of the members' progress."""

from __future__ import annotations

import pytest

from laura_fast.domain.replication import progress
from laura_fast.domain.replication.progress import Wanted
from laura_fast.node.database.concerns import WriteConcern
from laura_fast.node.replication.concerns import wanted


@pytest.mark.parametrize(
    ("w", "members"), [("", Wanted.MAJORITY), ("majority", Wanted.MAJORITY), ("0", 0), ("3", 3), ("rack", "rack")]
)
def test_every_form_of_w(w: str, members: int | str | Wanted) -> None:
    assert wanted(WriteConcern(w)) == progress.WriteConcern(members)
