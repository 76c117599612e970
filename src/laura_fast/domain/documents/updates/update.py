"""What a compiled update does to one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from laura_fast.domain.documents.codec import encode
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.updates.delta import make_delta
from laura_fast.domain.documents.updates.faults import refused
from laura_fast.domain.documents.updates.tree import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bson.timestamp import Timestamp

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.updates.delta import Delta
    from laura_fast.domain.documents.updates.renaming import Rename
    from laura_fast.domain.documents.updates.tree import Branch


class Applied(NamedTuple):
    """A document after an update. It shares what did not change with the one before: neither may be changed in place.

    Attributes:
        document: The post-image.
        changed: False where the update makes no difference to a single byte; nothing is to be stored then.
        delta: The results for the oplog, see `delta`; None where the post-image is to be logged.
        encoded: The post-image as BSON; empty where nothing changed.
    """

    document: Document
    changed: bool
    delta: Delta | None = None
    encoded: bytes = b""


class Update(Protocol):
    """A checked update, ready to be applied to any number of documents.

    Attributes:
        replacement: It replaces all fields but `_id`.
    """

    replacement: bool

    def apply(self, document: Document, now_ms: int, timestamp: Timestamp, *, inserting: bool = False) -> Applied:
        """The document after the update; `document` itself is never changed.

        Args:
            document: As decoded.
            now_ms: What `$currentDate` sets as a date.
            timestamp: What it sets as a timestamp.
            inserting: The document is about to be inserted by an upsert: `$setOnInsert` counts.

        Raises:
            InvalidArgumentError: UPDATE_REFUSED: not for this document; DOCUMENT_TOO_LARGE or MALFORMED_BSON: it would
                grow beyond 16 MiB or 100 levels.
        """


class OperatorUpdate:
    """An update by operators."""

    replacement = False

    def __init__(self, *, on_insert: Branch, on_update: Branch, renames: tuple[Rename, ...]) -> None:
        self._on_insert = on_insert
        self._on_update = on_update
        self._renames = renames

    def apply(self, document: Document, now_ms: int, timestamp: Timestamp, *, inserting: bool = False) -> Applied:
        moved = tuple([rename.take(document) for rename in self._renames])
        run = Run(now_ms, timestamp, moved)
        tree = self._on_insert if inserting else self._on_update
        result = tree.in_document(document, run)
        if result is document:
            return Applied(document, changed=False)
        if "_id" in document and result.get("_id", MISSING) is not document["_id"]:
            raise _changes_id()
        encoded = encode(result)
        delta = None if inserting else make_delta(run.changes, len(encoded))
        return Applied(result, changed=True, delta=delta, encoded=encoded)


class Replacement:
    """An update by a whole document. `_id` stays as it is and comes first, wherever the replacement has it."""

    replacement = True

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = {name: value for name, value in fields.items() if name != "_id"}
        self._id = fields.get("_id", MISSING)

    def apply(self, document: Document, _now_ms: int, _timestamp: Timestamp, *, inserting: bool = False) -> Applied:
        result = {**self._identity(document), **self._fields}
        encoded = encode(result)
        if not inserting and list(result) == list(document) and encoded == encode(document):
            return Applied(document, changed=False)
        return Applied(result, changed=True, encoded=encoded)

    def _identity(self, document: Document) -> dict[str, Any]:
        if "_id" not in document:
            return {} if self._id is MISSING else {"_id": self._id}
        if self._id is not MISSING and encode_value(self._id) != encode_value(document["_id"]):
            raise _changes_id()
        return {"_id": document["_id"]}


def _changes_id() -> Exception:
    return refused("the update would change _id, which never changes")
