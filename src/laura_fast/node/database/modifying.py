"""What an update or a delete does to one document, and what an upsert makes of none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.codec import encode
from laura_fast.domain.documents.updates import upsert_document
from laura_fast.node.database.inserts import check_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from bson.timestamp import Timestamp

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.updates import Update
    from laura_fast.storage.documents.session import WriteSession

    Times = Callable[[], tuple[int, Timestamp]]


@dataclass(frozen=True, slots=True)
class Updating:
    """Applies an update; with `upsert`, makes a document where none matches.

    Attributes:
        namespace: Of the collection.
        filter: What it is about.
        update: What it does.
        upsert: Whether nothing found means one more document.
        new_id: Makes the `_id` of that document, if neither filter nor update names one.
        times: Milliseconds since 1970 and the timestamp for `$currentDate`.
    """

    namespace: str
    filter: Filter
    update: Update
    upsert: bool
    new_id: Callable[[], Any]
    times: Times

    def find(self, data: bytes) -> Document | None:
        return self.filter.find(data)

    def check(self, document: Document) -> None:
        self.update.apply(document, *self.times())

    def apply(self, session: WriteSession, id_key: bytes, document: Document) -> bool:
        applied = self.update.apply(document, *self.times())
        if applied.changed:
            session.replace(self.namespace, id_key, document, applied.document, applied.delta, encoded=applied.encoded)
        return applied.changed

    def missing(self, session: WriteSession) -> bytes:
        if not self.upsert:
            return b""
        document = upsert_document(self.filter, self.update, self.new_id(), *self.times())
        check_id(document["_id"])
        session.insert(self.namespace, document)
        return encode({"_id": document["_id"]})


@dataclass(frozen=True, slots=True)
class Deleting:
    """Removes a document."""

    namespace: str
    filter: Filter

    def find(self, data: bytes) -> Document | None:
        return self.filter.find(data)

    def check(self, document: Document) -> None:
        """Every document can be removed."""

    def apply(self, session: WriteSession, id_key: bytes, document: Document) -> bool:
        session.remove(self.namespace, id_key, document)
        return True

    def missing(self, session: WriteSession) -> bytes:
        del session
        return b""
