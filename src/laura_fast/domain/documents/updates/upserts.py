"""The document that an upsert inserts when nothing matched.

The rules are those of MongoDB's manual, "db.collection.updateOne", Upsert: a replacement is inserted as it is, and
operators are applied to a document of the filter's equality conditions. Conditions that give a field twice are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson.regex import Regex

from laura_fast.domain.documents.kinds import type_name
from laura_fast.domain.documents.updates.faults import invalid
from laura_fast.domain.documents.updates.paths import split_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bson.timestamp import Timestamp

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.updates.update import Update


def upsert_document(query: Filter, update: Update, new_id: Any, now_ms: int, timestamp: Timestamp) -> Document:
    """The document to insert, with `_id` first.

    Args:
        query: The filter that nothing matched.
        update: What would have been applied.
        new_id: The `_id` if neither the filter nor the update gives one.
        now_ms: See `Update.apply`.
        timestamp: See `Update.apply`.

    Raises:
        InvalidArgumentError: The filter gives a field twice, `_id` in parts, or the update is not for such a document.
    """
    document = _document_of(query.equalities())
    if update.replacement:
        document = {"_id": document["_id"]} if "_id" in document else {}
    document = update.apply(document, now_ms, timestamp, inserting=True).document
    identity = document.get("_id", new_id)
    if isinstance(identity, list | Regex):
        raise invalid(f"_id can't be of type {type_name(identity)}")
    return {"_id": identity, **{name: value for name, value in document.items() if name != "_id"}}


def _document_of(given: Mapping[str, Any]) -> Document:
    """The fields in the order of their paths, as MongoDB makes them."""
    document: Document = {}
    for path in sorted(given):
        *above, last = split_path("upsert", path)
        if above and above[0] == "_id":
            raise invalid(f"upsert: the filter gives _id in parts, by {path!r}")
        level = document
        for part in above:
            level = level.setdefault(part, {})
        level[last] = given[path]
    return document
