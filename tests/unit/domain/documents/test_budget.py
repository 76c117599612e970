"""What ends a request that uses too much."""

from __future__ import annotations

import pytest

from laura_fast.domain.documents.budget import Budget
from laura_fast.errors import DeadlineError, OverloadedError
from laura_fast.limits import queries as limits


def test_examined_documents() -> None:
    budget = Budget(3, deadline=1, max_bytes=0, now=lambda: 0)
    budget.examine()
    budget.examine(2)
    with pytest.raises(OverloadedError, match="more than 3 documents") as caught:
        budget.examine()
    assert caught.value.reason == "MAX_EXAMINED"


def test_deadline_is_seen_at_once_and_then_now_and_again() -> None:
    looks: list[int] = []

    def now() -> float:
        looks.append(budget.examined)
        return 0

    budget = Budget(10**6, deadline=1, max_bytes=0, now=now)
    for _ in range(limits.EXAMINED_PER_CLOCK_LOOK + 1):
        budget.examine()
    assert looks == [1, 1 + limits.EXAMINED_PER_CLOCK_LOOK]
    late = Budget(10**6, deadline=1, max_bytes=0, now=lambda: 1)
    with pytest.raises(DeadlineError, match="after 1 documents") as caught:
        late.examine()
    assert caught.value.reason == "DEADLINE"


def test_memory() -> None:
    budget = Budget(1, deadline=1, max_bytes=10, now=lambda: 0)
    budget.hold(10)
    with pytest.raises(OverloadedError) as caught:
        budget.hold(1)
    assert caught.value.reason == "MEMORY_BUDGET"
    budget.release(4)
    budget.hold(4)
    assert budget.held_bytes == 10
