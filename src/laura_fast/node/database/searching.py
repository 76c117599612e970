"""From candidates to one page: what matches, in order, behind the place where the page before ended.

=======  ===================================================  ==========================================================
mode     candidates come                                      a place is
=======  ===================================================  ==========================================================
stream   in the order asked for                               that of the candidate in its index
ties     in the order asked for, but equal ones not by `_id`  where the equal ones begin in the index, their sort key,
                                                              and the `_id`
rank     anyhow                                               the sort key and the `_id`
=======  ===================================================  ==========================================================
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from laura_fast.domain.documents.codec import decode_stored, encode
from laura_fast.limits import database as limits
from laura_fast.node.database.access import START, Place
from laura_fast.node.database.best import Best, Ranked
from laura_fast.node.database.pacing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.access import Candidate

    Find = Callable[[bytes], Document | None]
    Project = Callable[[Document], Document]
    SortKey = Callable[[Document], bytes]


class Mode(StrEnum):
    """How a page is made; see the module."""

    STREAM = "s"
    TIES = "t"
    RANK = "r"


def page_documents(batch_size: int) -> int:
    """Documents of a page at most, as its reader asks for; 0 = any number."""
    return min(batch_size or limits.PAGE_DOCUMENTS, limits.PAGE_DOCUMENTS)


class Filling:
    """A page that is being filled: as many documents as were asked for, but not more bytes than a page may have.

    Attributes:
        documents: BSON.
        more: Whether something would have followed.
        place: Of the last document.
    """

    def __init__(self, batch_size: int, left: int, project: Project | None) -> None:
        """Empty.

        Args:
            batch_size: Documents of the page; 0 = as many as a page may have.
            left: Documents that the query's limit allows; 0 = any number.
            project: What of a document is answered; None = all.
        """
        self.documents: list[bytes] = []
        self.more = False
        self.place = START
        page = page_documents(batch_size)
        self.wanted = min(left, page) if left else page
        self._is_last = 0 < left <= page
        self._bytes = 0
        self._project = project

    def add(self, place: Place, data: bytes, document: Document | None = None) -> bool:
        """Takes a document, if there is room; whether to go on.

        Args:
            place: Where it is.
            data: BSON.
            document: The same decoded, if that was done before.
        """
        if len(self.documents) >= self.wanted or self._bytes >= limits.PAGE_BYTES:
            self.more = True
            return False
        if self._project is not None:
            data = encode(self._project(decode_stored(data) if document is None else document))
        self.documents.append(data)
        self._bytes += len(data)
        self.place = place
        return not (self._is_last and len(self.documents) == self.wanted)


class TiesPlace(NamedTuple):
    """What `Place.key` holds in the mode TIES, packed.

    Attributes:
        key: Of the first candidate among the equal ones.
        sort_key: That they share.
    """

    key: bytes = b""
    sort_key: bytes = b""

    def packed(self) -> bytes:
        return _pack(self)

    @classmethod
    def unpacked(cls, data: bytes) -> TiesPlace:
        return _unpack(data) if data else cls()


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(TiesPlace).decode


class Search:
    """Fills one page. Each method yields after every slice of work."""

    def __init__(self, find: Find | None, budget: Budget, filling: Filling, skip: int) -> None:
        """Prepares.

        Args:
            find: Decodes a candidate if it matches; None where every candidate does.
            budget: Counts the candidates.
            filling: The page.
            skip: Matches that are left out before the first.
        """
        self._find = find
        self._budget = budget
        self._filling = filling
        self._skip = skip

    def stream(self, candidates: Iterable[Candidate]) -> Generator[None, None, None]:
        """Takes candidates that come in the right order, until the page is full."""
        pace, find, filling, document = Pace(), self._find, self._filling, None
        for key, id_key, data in candidates:
            self._budget.examine()
            if pace.over(len(data)):
                yield
            if find is not None and (document := find(data)) is None:
                continue
            if self._skip > 0:
                self._skip -= 1
            elif not filling.add(Place(key, id_key), data, document):
                return

    def ties(self, candidates: Iterable[Candidate], sort_key: SortKey, after: Place) -> Generator[None, None, None]:
        """Takes candidates whose sort keys come in order, and puts those with the same one in the order of `_id`.

        Raises:
            OverloadedError: MEMORY_BUDGET. Too many are equal.
        """
        pace, find, equal, before = (
            Pace(),
            self._find or decode_stored,
            _Equal(self._budget),
            TiesPlace.unpacked(after.key),
        )
        for candidate in candidates:
            self._budget.examine()
            if pace.over(len(candidate.data)):
                yield
            document = find(candidate.data)
            if document is None:
                continue
            key = sort_key(document)
            if key != equal.sort_key:
                if not self._take(equal):
                    return
                equal.begin(key, candidate.key)
            if key != before.sort_key or candidate.id_key > after.id_key:
                equal.add(candidate)
        self._take(equal)

    def _take(self, equal: _Equal) -> bool:
        place = TiesPlace(equal.key, equal.sort_key).packed()
        for candidate in equal.in_order():
            if self._skip > 0:
                self._skip -= 1
            elif not self._filling.add(Place(place, candidate.id_key), candidate.data):
                return False
        return True

    def rank(
        self, candidates: Iterable[Candidate], sort_key: SortKey, after: Place, *, several: bool
    ) -> Generator[None, None, None]:
        """Looks at all candidates and takes the first ones, in sort order, behind a place.

        Args:
            candidates: In any order.
            sort_key: Of a document.
            after: The place.
            several: A document may come more than once.

        Raises:
            OverloadedError: MEMORY_BUDGET. The page and what it skips don't fit.
        """
        pace, find, seen = Pace(), self._find or decode_stored, set[bytes]()
        best = Best(self._skip + self._filling.wanted + 1, self._budget)
        for candidate in candidates:
            self._budget.examine()
            if pace.over(len(candidate.data)):
                yield
            if several:
                if candidate.id_key in seen:
                    continue
                self._budget.hold(len(candidate.id_key))
                seen.add(candidate.id_key)
            document = find(candidate.data)
            if document is not None and (place := Place(sort_key(document), candidate.id_key)) > after:
                best.add(Ranked(*place, candidate.data))
        for key, id_key, data in best.first()[self._skip :]:
            if not self._filling.add(Place(key, id_key), data):
                return


class _Equal:
    """Candidates with the same sort key."""

    def __init__(self, budget: Budget) -> None:
        self.sort_key = self.key = b""
        self._budget = budget
        self._held: list[Candidate] = []
        self._bytes = 0

    def begin(self, sort_key: bytes, key: bytes) -> None:
        self._budget.release(self._bytes)
        self._held, self._bytes = [], 0
        self.sort_key, self.key = sort_key, key

    def add(self, candidate: Candidate) -> None:
        self._budget.hold(len(candidate.data))
        self._bytes += len(candidate.data)
        self._held.append(candidate)

    def in_order(self) -> list[Candidate]:
        return sorted(self._held, key=_by_id)


def _by_id(candidate: Candidate) -> bytes:
    return candidate.id_key
