"""All members sorted by id, in immutable blocks that keep their wire form.

A change copies one block and the list of blocks; every other block, with the bytes joined from it, is shared with the
versions before. So a new version costs about the same whatever the number of members, and its wire form a join
of blocks: `bench/test_topology.py` measured a join of 10,000 entries at twenty times the join of their blocks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from laura_fast.domain.membership import encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from laura_fast.domain.membership.values import Member

BLOCK_MEMBERS: Final = 128
"""A block is made of so many and split at twice as many: 20,000 members are at most a few hundred blocks."""

_id = attrgetter("id")
_first_id = attrgetter("first_id")
_entry = attrgetter("entry")


class MemberBlock:
    """Neighbours in the order of ids, at least one."""

    __slots__ = ("_encoded", "first_id", "members")

    def __init__(self, members: tuple[Member, ...]) -> None:
        self.members = members
        self.first_id = members[0].id
        self._encoded: dict[bytes, bytes] = {}

    def encoded(self, tag: bytes) -> bytes:
        """A repeated field `tag` of all members; joined once per tag."""
        known = self._encoded.get(tag)
        if known is None:
            known = self._encoded[tag] = encoding.repeated(tag, [*map(_entry, self.members)])
        return known


class MemberTable:
    """A sorted, immutable collection of members with unique ids.

    Attributes:
        size_bytes: All entries together.
    """

    __slots__ = ("_blocks", "_count", "size_bytes")

    def __init__(self, blocks: tuple[MemberBlock, ...] = (), count: int = 0, size_bytes: int = 0) -> None:
        self._blocks = blocks
        self._count = count
        self.size_bytes = size_bytes

    @classmethod
    def of(cls, members: Iterable[Member]) -> MemberTable:
        """A table of members in any order."""
        ordered = tuple(sorted(members, key=_id))
        return cls(_blocks(ordered, BLOCK_MEMBERS), len(ordered), sum(len(member.entry) for member in ordered))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Member]:
        return chain.from_iterable(block.members for block in self._blocks)

    def find(self, node_id: str) -> Member | None:
        """The member of that id, in O(log n)."""
        if not self._blocks:
            return None
        members = self._blocks[self._block_of(node_id)].members
        at = bisect_left(members, node_id, key=_id)
        return members[at] if at < len(members) and members[at].id == node_id else None

    def put(self, member: Member) -> MemberTable:
        """A table with this member, instead of the one of its id if there is one."""
        return self._replaced(member.id, (member,))

    def drop(self, node_id: str) -> MemberTable:
        """A table without the member of that id."""
        return self._replaced(node_id, ())

    def pieces(self, tag: bytes) -> list[bytes]:
        """A repeated field `tag` of all members, to be joined."""
        return [block.encoded(tag) for block in self._blocks]

    def _replaced(self, node_id: str, new: tuple[Member, ...]) -> MemberTable:
        where = self._block_of(node_id)
        members = self._blocks[where].members if self._blocks else ()
        at = bisect_left(members, node_id, key=_id)
        old = tuple(member for member in members[at : at + 1] if member.id == node_id)
        changed = members[:at] + new + members[at + len(old) :]
        size = BLOCK_MEMBERS if len(changed) >= 2 * BLOCK_MEMBERS else len(changed)
        return MemberTable(
            self._blocks[:where] + _blocks(changed, size) + self._blocks[where + 1 :],
            self._count + len(new) - len(old),
            self.size_bytes + sum(len(member.entry) for member in new) - sum(len(member.entry) for member in old),
        )

    def _block_of(self, node_id: str) -> int:
        return max(bisect_right(self._blocks, node_id, key=_first_id) - 1, 0)


def _blocks(members: tuple[Member, ...], size: int) -> tuple[MemberBlock, ...]:
    return tuple(MemberBlock(members[start : start + size]) for start in range(0, len(members), size or 1))
