"""The members of a replica set as a setting."""

from __future__ import annotations

import pytest

from laura_fast.config.members import Members, parse_members


def test_members_are_sorted_by_id() -> None:
    assert parse_members(" n2=[::1]:7002, n1=host:7001 ,") == [("n1", "host:7001"), ("n2", "[::1]:7002")]
    assert parse_members("") == []


@pytest.mark.parametrize(
    "text", ["n1", "n1=", "n1=host", "n1=host:", "n1=:1", "n1=host:0", "n1=h:70000", "=h:1", "a=h:1,a=h:2"]
)
def test_what_is_no_member_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Members().from_text(text)
