"""Inserts: each document by itself, so that one that is refused costs the others nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from bson.regex import Regex

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.errors import AlreadyExistsError, InvalidArgumentError
from laura_fast.limits import database as limits
from laura_fast.node.database.commands import InsertOutcome
from laura_fast.node.database.identifiers import generated_id
from laura_fast.node.database.once import recall, record_progress, record_response
from laura_fast.node.database.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.commands import InsertCommand, Origin
    from laura_fast.node.database.once import Ticket
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

_REFUSED: Final = (InvalidArgumentError, AlreadyExistsError)
"""What concerns one document. Anything else (a full disk) concerns the request."""


class Progress(msgspec.Struct, array_like=True, frozen=True):
    """How far an insert came: the next document's place, and what was refused before it."""

    place: int = 0
    errors: tuple[tuple[int, str], ...] = ()


_encode_progress = msgspec.msgpack.Encoder().encode
_decode_progress = msgspec.msgpack.Decoder(Progress).decode


@dataclass(slots=True)
class Insert:
    """One request on its way.

    Attributes:
        command: What is to be inserted.
        origin: Whose request it is: generated ids derive from it.
        request: Its ticket; None for one without an id.
        respond: Makes the answer that is recorded.
    """

    command: InsertCommand
    origin: Origin
    request: Ticket | None
    respond: Callable[[InsertOutcome], bytes]
    _ids: dict[int, bytes] = field(default_factory=dict)
    _made: dict[int, Any] = field(default_factory=dict)

    async def run(self, store: DocumentStore) -> bytes:
        """Inserts, in as many transactions as its size asks for; the answer is on disk with the last of them.

        Raises:
            AlreadyExistsError: REQUEST_ID_REUSED.
            OverloadedError: The disk is full. What was inserted before stays, and a repeated request goes on there.
        """
        progress = Progress()
        while not isinstance(step := await write(store, self.request, partial(self._slice, progress)), bytes):
            progress = step
        return step

    def _slice(self, progress: Progress, session: WriteSession) -> Progress | bytes:
        known = recall(session, self.request)
        if known is not None:
            if known.response is not None:
                return known.response
            progress = _decode_progress(known.progress)
        progress = self._inserted(session, progress)
        if progress.place < len(self.command.documents):
            record_progress(session, self.request, _encode_progress(progress))
            return progress
        response = self.respond(self._outcome(progress))
        record_response(session, self.request, response)
        return response

    def _inserted(self, session: WriteSession, progress: Progress) -> Progress:
        documents, errors, size = self.command.documents, list(progress.errors), 0
        for place in range(progress.place, len(documents)):
            if size >= limits.WRITE_SLICE_BYTES or place - progress.place >= limits.WRITE_SLICE_DOCUMENTS:
                return Progress(place, tuple(errors))
            size += len(documents[place])
            try:
                document, encoded = self._document(place)
                session.insert(self.command.namespace, document, encoded)
            except _REFUSED as error:
                errors.append((place, error.message))
                if self.command.ordered:
                    break
        return Progress(len(documents), tuple(errors))

    def _document(self, place: int) -> tuple[Document, bytes | None]:
        """The document as it will be stored, and its BSON where that is what came."""
        encoded: bytes | None = self.command.documents[place]
        document = decode(self.command.documents[place])
        if next(iter(document), "") != "_id":
            identity = document.pop("_id") if "_id" in document else self._generated(place)
            document, encoded = {"_id": identity, **document}, None
        check_id(document["_id"])
        self._ids[place] = encode({"_id": document["_id"]})
        return document, encoded

    def _generated(self, place: int) -> Any:
        """The same one when the transaction is repeated, also where the request has no id to derive it from."""
        if place not in self._made:
            self._made[place] = generated_id(self.origin.client, self.origin.request_id, place)
        return self._made[place]

    def _outcome(self, progress: Progress) -> InsertOutcome:
        refused = dict(progress.errors)
        stop = (
            min(refused, default=len(self.command.documents)) if self.command.ordered else len(self.command.documents)
        )
        places = [place for place in range(stop) if place not in refused]
        for place in places:
            if place not in self._ids:  # inserted before a crash
                self._document(place)
        return InsertOutcome([self._ids[place] for place in places], list(progress.errors))


def check_id(value: object) -> None:
    """Raises InvalidArgumentError (INVALID_ID) for a value that can't be an `_id` (MongoDB manual, "The _id Field")."""
    if isinstance(value, (list, Regex)):
        kind = "an array" if isinstance(value, list) else "a regular expression"
        raise InvalidArgumentError(f"_id is {kind}, which it can't be", "INVALID_ID")
