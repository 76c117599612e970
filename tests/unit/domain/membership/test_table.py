"""The table of members equals a sorted list, and shares what did not change."""

from __future__ import annotations

import random

from laura_fast.domain.membership.encoding import repeated
from laura_fast.domain.membership.table import BLOCK_MEMBERS, MemberTable
from laura_fast.domain.membership.values import Member

TAG = b"\x12"


def member(node_id: str, entry: bytes = b"\x01e") -> Member:
    return Member(node_id, "h", 1, entry=entry)


def test_random_changes_give_what_a_dict_gives() -> None:
    rng = random.Random(7)  # noqa: S311 - a seed, so that a failure repeats
    table, model = MemberTable(), dict[str, Member]()
    for turn in range(4_000):
        node_id = f"{rng.randrange(1_500):04}"
        if turn < 2_500 or rng.random() < 0.3:
            model[node_id] = member(node_id, b"\x02%02d" % (turn % 100))
            table = table.put(model[node_id])
        else:
            model.pop(node_id, None)
            table = table.drop(node_id)
        assert len(table) == len(model)
        assert table.find(node_id) is model.get(node_id)
    expected = [model[node_id] for node_id in sorted(model)]
    assert list(table) == expected
    assert b"".join(table.pieces(TAG)) == repeated(TAG, [each.entry for each in expected])
    assert table.size_bytes == sum(len(each.entry) for each in expected)


def test_a_change_leaves_the_table_before_alone_and_shares_its_other_blocks() -> None:
    before = MemberTable.of(member(f"{number:05}") for number in range(10 * BLOCK_MEMBERS))
    after = before.put(member("00000a"))
    assert before.find("00000a") is None
    assert len([block for block in after._blocks if block not in before._blocks]) == 1


def test_blocks_stay_small() -> None:
    table = MemberTable()
    for number in range(20 * BLOCK_MEMBERS):
        table = table.put(member(f"{number:05}"))
    assert max(len(block.members) for block in table._blocks) < 2 * BLOCK_MEMBERS
    assert len(table._blocks) <= 20


def test_an_emptied_table_is_empty() -> None:
    table = MemberTable.of([member("a")]).drop("a").drop("a")
    assert (len(table), list(table), b"".join(table.pieces(TAG)), table.size_bytes) == (0, [], b"", 0)
