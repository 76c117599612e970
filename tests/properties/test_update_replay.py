"""What the oplog keeps of an update makes the same document again, byte for byte, as often as it is replayed."""

from __future__ import annotations

from random import Random
from typing import Any

import bson
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents.updates import Applied, apply_delta, compile_update
from laura_fast.errors import RpcError
from tests.properties import update_cases
from tests.properties.update_rivals import NOW

SEEDS = st.integers(0, 2**32 - 1)


def encoded(document: dict[str, Any]) -> bytes:
    return bson.encode({"": document})[6:-1]


def an_application(rng: Random, before: dict[str, Any]) -> Applied:
    """Some update of the document that changes it; now and then it is replaced."""
    while True:
        asked = update_cases.case(rng)
        update = asked.document if rng.random() < 0.05 else asked.update
        try:
            applied = compile_update(update).apply(before, 0, NOW)
        except RpcError:
            continue
        if applied.changed:
            return applied


def replayed(document: dict[str, Any], entry: Applied) -> dict[str, Any]:
    return entry.document if entry.delta is None else apply_delta(document, entry.delta)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_delta_makes_the_post_image_and_makes_it_again(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    before = {**update_cases.document(rng), "filler": "x" * 200}
    kept = encoded(before)
    applied = an_application(rng, before)
    once = replayed(before, applied)
    assert encoded(once) == applied.encoded == encoded(applied.document)
    assert encoded(replayed(once, applied)) == applied.encoded
    assert encoded(before) == kept


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_any_suffix_of_a_log_may_be_replayed_over_a_later_state(seed: int) -> None:
    """A replica that comes back replays entries that its documents already have in them (RELIABILITY: idempotent)."""
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    state: dict[str, Any] = {**update_cases.document(rng), "filler": "x" * 200}
    log = []
    for _ in range(rng.randrange(1, 12)):
        log.append(an_application(rng, state))
        state = log[-1].document
    for start in range(len(log)):
        again = state
        for entry in log[start:]:
            again = replayed(again, entry)
        assert encoded(again) == encoded(state), (start, [entry.delta or entry.document for entry in log])


def test_most_entries_are_deltas() -> None:
    rng = Random(1)  # noqa: S311 - test cases, no secrets
    before = {**update_cases.document(rng), "filler": "x" * 200}
    entries = [an_application(rng, before) for _ in range(100)]
    assert sum(entry.delta is not None for entry in entries) > 80
