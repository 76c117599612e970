"""What is stored of a document: when it became so, a check of everything, its BSON.

The engine trusts its disk; a byte that changed there must not become an answer. The check is taken again whenever a
document is read, which costs about as much as copying it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import xxhash

from laura_fast.errors import DataLossError
from laura_fast.storage.documents.layout import TIME_BYTES, pack_number, unpack_number

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECK_BYTES: Final = 8
_BODY: Final = TIME_BYTES + _CHECK_BYTES

_hash: Callable[..., bytes] = xxhash.xxh3_64_digest


def seal(time: int, body: bytes) -> bytes:
    """The image of a document that became `body` at a commit time."""
    return pack_number(time) + _hash(body, time) + body


def time_of(image: bytes) -> int:
    """The commit time of an image."""
    return unpack_number(image)[0]  # type: ignore[no-any-return]  # a struct's items have no types


def body_of(image: bytes) -> bytes:
    """The BSON in an image.

    Raises:
        DataLossError: DAMAGED: it is not what was written.
    """
    body = image[_BODY:]
    if _hash(body, unpack_number(image)[0]) != image[TIME_BYTES:_BODY]:
        raise DataLossError("a stored document is damaged: its check fails", "DAMAGED")
    return body
