"""The `_id` of a document that came without one."""

from __future__ import annotations

import hashlib
from typing import Final

from bson.objectid import ObjectId

_OBJECT_ID_BYTES: Final = 12


def generated_id(client: str, request_id: str, index: int) -> ObjectId:
    """A new id; for a request that has an id, the one that its repetition gets too.

    WIRE-CONTRACT, "Exactly once": derived from client, request and place, so that a retry makes no second document even
    where the first answer is no longer remembered.
    """
    if not request_id:
        return ObjectId()
    source = b"".join(_framed(part.encode()) for part in (client, request_id, str(index)))
    return ObjectId(hashlib.sha256(source).digest()[:_OBJECT_ID_BYTES])


def _framed(part: bytes) -> bytes:
    """With its length before it: "ab" + "c" is not "a" + "bc"."""
    return len(part).to_bytes(4, "big") + part
