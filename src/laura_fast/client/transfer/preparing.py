"""Records made ready to be inserted: with an `_id` at the front, and as BSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bson.raw_bson import RawBSONDocument

from laura_fast.client.documents.codec import encode
from laura_fast.client.transfer.records import BadRecord
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.client.transfer.identity import Identity
    from laura_fast.client.transfer.records import Record, Records


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document on its way.

    Attributes:
        place: In its file.
        id: Its `_id`.
        octets: Its BSON, `_id` first, as servers store it.
    """

    place: str
    id: Any
    octets: bytes


def prepared(records: Records, identity: Identity, id_field: str = "") -> Iterator[Prepared | BadRecord]:
    """Each record with an `_id`: its own, else the value of `id_field`, else one that `identity` makes."""
    for record in records:
        if isinstance(record, BadRecord):
            yield record
            continue
        try:
            yield _with_id(record, identity, id_field)
        except InvalidArgumentError as error:
            yield BadRecord(record.number, record.place, error.message)


def _with_id(record: Record, identity: Identity, id_field: str) -> Prepared:
    values = record.values
    if id_field:
        if id_field not in values:
            raise InvalidArgumentError(f"there is no field {id_field!r} to be the _id", "NO_ID_FIELD")
        own = values[id_field]
    elif "_id" in values:
        own = values["_id"]
        if isinstance(values, RawBSONDocument) and next(iter(values)) == "_id":
            return Prepared(record.place, own, bytes(values.raw))
    else:
        own = identity.object_id(record.number)
    return Prepared(record.place, own, encode({"_id": own, **{name: values[name] for name in values if name != "_id"}}))
