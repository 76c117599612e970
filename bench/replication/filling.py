"""Documents for a laura_fast set, inserted in few calls, and what there is to insert."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import bson

from bench.documents.data import package
from bench.documents.measure import WrongAnswerError
from bench.documents.subjects.laura import COLLECTION, DATABASE
from laura_fast.client import ClusterClient
from laura_fast.client.documents import DocumentClient
from tests.e2e.debian_index import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.replication.subject import Totals

NAMESPACE: Final = f"{DATABASE}.{COLLECTION}"


async def fill(address: str, documents: Sequence[dict[str, Any]]) -> None:
    """Inserts all of them, each on a majority when this returns.

    Raises:
        WrongAnswerError: One was refused.
    """
    async with ClusterClient([address]) as cluster:
        outcome = await DocumentClient(cluster).insert_many(NAMESPACE, documents)
    if outcome.errors or outcome.inserted != len(documents):
        raise WrongAnswerError(f"{outcome.inserted} of {len(documents)} documents were inserted: {outcome.errors[:1]}")


@dataclass
class Source:
    """Documents of about a given size together.

    Attributes:
        name: Where they come from.
        section: The field they are grouped by.
        size: The field that is summed up.
        documents: Them.
        bson_bytes: Their length.
    """

    name: str
    section: str
    size: str
    documents: list[dict[str, Any]] = field(default_factory=list)
    bson_bytes: int = 0

    def take(self, documents: Iterator[dict[str, Any]], most_bytes: int) -> Source:
        """As many as there are until this size is reached."""
        for document in documents:
            if self.bson_bytes >= most_bytes:
                break
            self.documents.append(document)
            self.bson_bytes += len(bson.encode(document))
        return self

    def totals(self) -> Totals:
        """Documents by section, and the sum of their sizes."""
        count: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for document in self.documents:
            count[document[self.section]] += 1
            sizes[document[self.section]] += document[self.size]
        return {section: (count[section], sizes[section]) for section in count}


def source(most_bytes: int) -> Source:
    """Debian's package index where it is installed, else generated packages."""
    debian = Source("Debian's package index", "Section", "Size")
    if shutil.which("apt-cache"):
        lines = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
        debian.take(packages(lines.splitlines()), most_bytes)
    if debian.documents:
        return debian
    return Source("generated packages", "section", "size").take(map(package, range(most_bytes)), most_bytes)
