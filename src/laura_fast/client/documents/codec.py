"""BSON to Python values and back, as everywhere here; what a server sent is not trusted to be BSON."""

from __future__ import annotations

from typing import Any

from bson.errors import BSONError

from laura_fast.domain.documents.codec import OPTIONS, decode_stored, encode
from laura_fast.errors import ClientError

__all__ = ["OPTIONS", "decode", "encode"]


def decode(document: bytes) -> dict[str, Any]:
    """The values of a document that a server sent.

    Raises:
        ClientError: It is not BSON.
    """
    try:
        return decode_stored(document)
    except (BSONError, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise ClientError(f"the server sent a document that is not BSON: {error}") from error
