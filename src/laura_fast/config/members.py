"""The members of a replica set as a setting: `n1=127.0.0.1:7001,n2=127.0.0.1:7002`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from laura_fast.config.kinds import Kind, Value
from laura_fast.limits.membership import MAX_HOST_BYTES, MAX_NODE_ID_BYTES
from laura_fast.limits.replication import MAX_MEMBERS

LONGEST: Final = MAX_MEMBERS * (MAX_NODE_ID_BYTES + MAX_HOST_BYTES + 8)
_HIGHEST_PORT: Final = 0xFFFF


def parse_members(text: str) -> list[tuple[str, str]]:
    """Ids and addresses, `host:port`, in the order of ids.

    Raises:
        ValueError: Not a list of members, or one id is there twice.
    """
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        member_id, equals, address = part.partition("=")
        host, _, port = address.rpartition(":")
        if not (member_id and equals and host and port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
            raise ValueError(part)
        if member_id in found:
            raise ValueError(member_id)
        found[member_id] = address
    return sorted(found.items())


@dataclass(frozen=True, slots=True)
class Members(Kind):
    """Ids and addresses, or nothing."""

    toml_types: ClassVar[tuple[type, ...]] = (str,)

    @property
    def allowed(self) -> str:
        return "id=host:port,id=host:port…, each id once"

    def contains(self, value: Value) -> bool:
        return isinstance(value, str) and len(value) <= LONGEST

    def convert(self, text: str) -> Value:
        parse_members(text)
        return text

    def schema(self) -> dict[str, object]:
        return {"type": "string", "maxLength": LONGEST}
