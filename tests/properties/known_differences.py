"""Answers of several implementations to one case, and what is known of how they differ.

A difference that nothing known explains is a fault, here or there; MongoDB's manual decides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import bson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laura_fast.domain.documents.codec import Document

Case = TypeVar("Case")


@dataclass(frozen=True)
class Answer:
    """A document, or why there is none; failed is a Python error, which is no refusal."""

    document: Document | None
    fault: str = ""
    failed: bool = False

    def same_as(self, other: Answer) -> bool:
        """Both refuse, or both have the same document to the byte."""
        if self.document is None or other.document is None:
            return self.document is other.document
        return bson.encode({"": self.document}) == bson.encode({"": other.document})


@dataclass(frozen=True)
class Difference(Generic[Case]):
    """A known difference.

    Attributes:
        name: For the count.
        rule: MongoDB's, which decides.
        explains: Whether the case, our answer and the other one differ for this reason.
        example: A case that does.
    """

    name: str
    rule: str
    explains: Callable[[Case, Answer, Answer], bool]
    example: Case


@dataclass(frozen=True)
class Comparison(Generic[Case]):
    """How cases are answered here and elsewhere, and the known differences of each other implementation."""

    ours: Callable[[Case], Answer]
    ask: Callable[[str, Case], Answer]
    rivals: Mapping[str, Sequence[Difference[Case]]]

    def compare(self, asked: Case) -> Counter[tuple[str, str]]:
        """How it ended: for each other implementation "same", the name of a known difference, or "failed".

        Raises:
            AssertionError: An unknown difference; the message holds the case.
        """
        mine = self.ours(asked)
        return Counter((rival, self._ending(rival, asked, mine)) for rival in self.rivals)

    def still_differs(self, rival: str, known: Difference[Case]) -> bool:
        """Whether a known difference is still one."""
        mine, theirs = self.ours(known.example), self.ask(rival, known.example)
        return not mine.same_as(theirs) and known.explains(known.example, mine, theirs)

    def differences(self) -> dict[str, tuple[str, Difference[Case]]]:
        """All of them by a name for tests."""
        return {f"{rival}-{known.name}": (rival, known) for rival, all_ in self.rivals.items() for known in all_}

    def _ending(self, rival: str, asked: Case, mine: Answer) -> str:
        theirs = self.ask(rival, asked)
        if theirs.failed:
            return "failed"
        if mine.same_as(theirs):
            return "same"
        for known in self.rivals[rival]:
            if known.explains(asked, mine, theirs):
                return known.name
        raise AssertionError(f"{rival} differs on {asked}\nours   {mine}\ntheirs {theirs}")
