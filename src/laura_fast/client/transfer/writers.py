"""Documents as JSON lines, CSV or BSON, written one by one."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from laura_fast.client.documents.codec import decode
from laura_fast.client.documents.extended_json import dump
from laura_fast.client.documents.plain import plain
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Writer(Protocol):
    """Puts one document after the other into a file."""

    def write(self, octets: bytes) -> None:
        """Writes one document, given as BSON."""


class JsonLinesWriter:
    """A document per line, in relaxed or canonical Extended JSON."""

    def __init__(self, file: BinaryIO, *, canonical: bool) -> None:
        self._file = file
        self._canonical = canonical

    def write(self, octets: bytes) -> None:
        self._file.write(f"{dump(decode(octets), canonical=self._canonical)}\n".encode())


class BsonWriter:
    """The documents as they are, one after another: what `mongorestore` and `import --format bson` read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, octets: bytes) -> None:
        self._file.write(octets)


class CsvWriter:
    """A header and a row per document (RFC 4180).

    Args:
        file: Where to.
        fields: The columns; a dotted one is a field of a sub-document.
        strict: Refuse a document with a field that has no column, which would be lost without a word.
    """

    def __init__(self, file: BinaryIO, fields: Sequence[str], *, strict: bool) -> None:
        self._file = file
        self._fields = tuple(fields)
        self._paths = [tuple(field.split(".")) for field in fields]
        self._strict = frozenset(fields) if strict else None
        self._row(fields)

    def write(self, octets: bytes) -> None:
        """Writes one row.

        Raises:
            InvalidArgumentError: A field without a column.
        """
        document = decode(octets)
        if self._strict is not None and (unknown := document.keys() - self._strict):
            raise InvalidArgumentError(
                f"field {min(unknown)!r} came up after the columns were set; name them with --projection",
                "NO_COLUMN",
            )
        self._row([_cell(_walk(document, path)) for path in self._paths])

    def _row(self, cells: Sequence[str]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        self._file.write(line.getvalue().encode())


_MISSING: Final = object()


def _walk(document: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return _MISSING
        value = value[part]
    return value


def _cell(value: Any) -> str:
    """Nothing for null as for a missing field; text for scalars; one line of Extended JSON for the rest."""
    if value is _MISSING or value is None:
        return ""
    return value if isinstance(value, str) else plain(value)
