"""Other implementations of MongoDB's updates, asked the same as this one."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import mongomock_ng
import montydb
from bson.timestamp import Timestamp

from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import InvalidArgumentError
from tests.properties.known_differences import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.domain.documents.codec import Document

NOW: Final = Timestamp(1_700_000_000, 1)


@dataclass(frozen=True)
class Case:
    """An update and the document that it is for."""

    document: Document
    update: Document

    def clauses(self) -> Iterator[tuple[str, str, Any]]:
        """Operator, path and operand of each part of the update."""
        for operator, paths in self.update.items():
            for path, operand in paths.items():
                yield operator, path, operand


def ours(asked: Case) -> Answer:
    try:
        return Answer(compile_update(asked.update).apply(asked.document, 0, NOW).document)
    except InvalidArgumentError as error:
        return Answer(None, error.message)


@cache
def collections() -> dict[str, Any]:
    """One of each, made once: montydb refuses to be set up twice in a process unless it is told to use BSON."""
    montydb.set_storage(":memory:", storage="memory", use_bson=True)
    return {"mongomock-ng": mongomock_ng.MongoClient().db.c, "montydb": montydb.MontyClient(":memory:").db.c}


def ask(rival: str, asked: Case) -> Answer:
    collection = collections()[rival]
    collection.delete_many({})
    collection.insert_one(copy.deepcopy(asked.document))
    try:
        collection.update_one({"_id": asked.document["_id"]}, copy.deepcopy(asked.update))
        return Answer(collection.find_one({"_id": asked.document["_id"]}))
    except FAILURES as error:
        return Answer(None, repr(error), failed=True)
    except Exception as error:  # noqa: BLE001 - each has an exception tree of its own
        return Answer(None, repr(error))


FAILURES: Final = (TypeError, AttributeError, LookupError, ValueError, StopIteration, NotImplementedError)
