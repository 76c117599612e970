"""Documents from a source into a collection: in bounded batches, several on their way, and none twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from laura_fast.client.documents.batches import batches
from laura_fast.client.documents.codec import decode, encode
from laura_fast.client.documents.requests import Query
from laura_fast.client.transfer.records import BadRecord
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.client import IMPORT_REQUESTS_AT_ONCE, MAX_REPORTED_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from laura_fast.client.documents import DocumentClient, Namespace
    from laura_fast.client.transfer.preparing import Prepared


@dataclass(slots=True)
class Tally:
    """What became of the records so far.

    Attributes:
        inserted: Documents that this run put there.
        already_there: Documents that were there before, octet for octet.
        failed: Records that are no documents, and documents that the server refused.
        problems: Place and reason of the first of those.
    """

    inserted: int = 0
    already_there: int = 0
    failed: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Records that are accounted for."""
        return self.inserted + self.already_there + self.failed


class Import:
    """One import.

    Args:
        documents: The cluster.
        namespace: Where the documents go.
        stop_on_error: Insert nothing that stands behind the first record that fails. Batches then go one by one.
        on_problem: Hears the place and the reason of each record that fails.

    Attributes:
        tally: What became of the records so far.
    """

    def __init__(
        self,
        documents: DocumentClient,
        namespace: Namespace,
        *,
        stop_on_error: bool = False,
        on_problem: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self.tally = Tally()
        self._documents = documents
        self._namespace = namespace
        self._ordered = stop_on_error
        self._at_once = 1 if stop_on_error else IMPORT_REQUESTS_AT_ONCE
        self._on_problem = on_problem
        self._stopped = False
        self._unreadable: InvalidArgumentError | None = None

    async def run(self, records: Iterable[Prepared | BadRecord]) -> Tally:
        """Inserts them all, and answers what became of them.

        Raises:
            ClientError: The cluster could not be reached any more. What was inserted is, and the same import again goes
                on from there.
            InvalidArgumentError: The source can't be read on; what stands before is inserted.
        """
        sending: set[asyncio.Task[None]] = set()
        try:
            for batch in batches(self._good(records), lambda document: len(document.octets)):
                sending.add(asyncio.create_task(self._send(batch)))
                if len(sending) >= self._at_once:
                    await _some(sending)
                if self._stopped:
                    break
            while sending:
                await _some(sending)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
        if self._unreadable:
            raise self._unreadable
        return self.tally

    def _good(self, records: Iterable[Prepared | BadRecord]) -> Iterator[Prepared]:
        """The documents among the records, up to where the source can't be read on."""
        try:
            for record in records:
                if not isinstance(record, BadRecord):
                    yield record
                    continue
                self._failed(record.place, record.reason)
                if self._ordered:
                    return
        except InvalidArgumentError as error:
            self._unreadable = error

    async def _send(self, batch: Sequence[Prepared]) -> None:
        """Inserts a batch, and goes on behind those of its documents that were there already."""
        while batch:
            outcome = await self._documents.insert(
                self._namespace, [document.octets for document in batch], ordered=self._ordered
            )
            self.tally.inserted += outcome.inserted
            if not outcome.errors:
                return
            refused = {error.index: error.message for error in outcome.errors}
            untried = batch[min(refused) + 1 :] if self._ordered else []
            there = await self._stored([*(batch[index] for index in refused), *untried])
            for index, reason in refused.items():
                self._judge(batch[index], reason, there)
            if self._stopped:
                return
            batch = [document for document in untried if there.get(_key(document)) != document.octets]
            self.tally.already_there += len(untried) - len(batch)

    async def _stored(self, candidates: Sequence[Prepared]) -> dict[bytes, bytes]:
        """What the collection holds under the ids of these documents."""
        query = Query({"_id": {"$in": [document.id for document in candidates]}})
        found: dict[bytes, bytes] = {}
        async for page in self._documents.pages(self._namespace, query):
            found.update((encode({"_id": decode(octets)["_id"]}), octets) for octets in page.documents)
        return found

    def _judge(self, document: Prepared, reason: str, there: dict[bytes, bytes]) -> None:
        stored = there.get(_key(document))
        if stored == document.octets:
            self.tally.already_there += 1
        else:
            self._failed(document.place, reason if stored is None else f"{reason}; the document there is another")
            self._stopped = self._ordered

    def _failed(self, place: str, reason: str) -> None:
        self.tally.failed += 1
        if len(self.tally.problems) < MAX_REPORTED_ERRORS:
            self.tally.problems.append((place, reason))
            self._on_problem(place, reason)


def _key(document: Prepared) -> bytes:
    return encode({"_id": document.id})


async def _some(sending: set[asyncio.Task[None]]) -> None:
    """Waits until one is done, takes those out, and raises what one of them raised."""
    done, _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    sending -= done
    if failures := [error for task in done if (error := task.exception())]:
        raise failures[0]
