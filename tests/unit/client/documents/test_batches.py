"""Batches keep both bounds, and lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laura_fast.client.documents.batches import batches


@given(st.lists(st.binary(max_size=12)), st.integers(1, 5), st.integers(1, 20))
def test_batches_are_bounded_and_whole(items: list[bytes], most: int, most_bytes: int) -> None:
    cut = list(batches(items, len, most, most_bytes))
    assert [item for batch in cut for item in batch] == items
    for batch in cut:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(map(len, batch)) <= most_bytes


def test_a_large_item_goes_alone() -> None:
    assert list(batches([b"1", b"2" * 9, b"3", b"4"], len, 10, 4)) == [[b"1"], [b"2" * 9], [b"3", b"4"]]
