"""Ids for documents that have none: the same file gives the same ids, so that importing it again adds nothing.

The server's memory of request ids ends after half an hour, and an answer from it would claim that documents are there
which somebody deleted meanwhile. An `_id` made of the file's content and the record's place in it knows no such end.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, BinaryIO, Final

import bson
import xxhash

from laura_fast.limits.units import MIB

if TYPE_CHECKING:
    from typing import Self

_SOURCE_BYTES: Final = 7
_NUMBER_BYTES: Final = 5
"""10^12 records of one source; in the order of the file, so that they are appended to the collection."""


class Identity:
    """What tells one source of documents from every other."""

    def __init__(self, digest: bytes) -> None:
        self._prefix = digest[:_SOURCE_BYTES]

    @classmethod
    def of_content(cls, file: BinaryIO) -> Self:
        """Of every octet from here to the end of the file, which is then wound back."""
        begin = file.tell()
        digest = xxhash.xxh3_128()
        while octets := file.read(MIB):
            digest.update(octets)
        file.seek(begin)
        return cls(digest.digest())

    @classmethod
    def of_name(cls, name: str) -> Self:
        """Of a stream that the caller calls by the same name each time."""
        return cls(xxhash.xxh3_128(name.encode()).digest())

    @classmethod
    def unknown(cls) -> Self:
        """Of a stream that nobody can recognise: never the same twice."""
        return cls(secrets.token_bytes(_SOURCE_BYTES))

    def object_id(self, number: int) -> bson.ObjectId:
        """The id of the record of that number."""
        return bson.ObjectId(self._prefix + number.to_bytes(_NUMBER_BYTES, "big"))
