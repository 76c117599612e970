"""BSON dumps: documents one after another, as `mongodump` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from laura_fast.client.documents.codec import OPTIONS
from laura_fast.client.transfer.records import BadRecord, judged
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.documents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from laura_fast.client.transfer.records import Records

_LENGTH_BYTES: Final = 4
_SHORTEST: Final = 5
_RAW: Final = OPTIONS.with_options(document_class=RawBSONDocument)


def read_bson(source: BinaryIO) -> Records:
    """Each document as the octets it is. After a length that can't be, nothing more can be told apart."""
    number = 0
    while head := source.read(_LENGTH_BYTES):
        place = f"document {number + 1}"
        length = int.from_bytes(head, "little", signed=True)
        possible = _SHORTEST <= length <= MAX_DOCUMENT_BYTES
        document = head + source.read(length - _LENGTH_BYTES) if possible else head
        if not possible or len(document) < length:
            reason = (
                f"claims to be {length} bytes long" if len(head) == _LENGTH_BYTES and not possible else "is cut off"
            )
            yield BadRecord(number, place, f"{reason}; nothing after it can be read")
            return
        yield judged(number, place, _raw, document)
        number += 1


def _raw(octets: bytes) -> RawBSONDocument:
    """Checked as a whole here, so that one bad document spoils no batch."""
    try:
        document = RawBSONDocument(octets, _RAW)
        document.items()
    except (BSONError, ValueError) as error:
        raise InvalidArgumentError(f"not BSON: {error}", "MALFORMED_BSON") from error
    return document
