"""CSV files (RFC 4180) with a header. A dotted column is a field of a sub-document, an empty cell no field at all."""

from __future__ import annotations

import csv
import itertools
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from laura_fast.client.transfer.cells import EVERY_COLUMN, converter
from laura_fast.client.transfer.records import BadRecord, judged, lines
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.documents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from laura_fast.client.transfer.records import Records

    Column = tuple[str, tuple[str, ...], Callable[[str], Any]]

_BAD: Final = "MALFORMED_CSV"


def read_csv(source: BinaryIO, types: Mapping[str, str]) -> Records:
    """A document per row.

    Args:
        source: The file, in UTF-8.
        types: Of columns, as `cells.parse_types` answers them; the others are inferred cell by cell.

    Raises:
        InvalidArgumentError: The header can't be used.
    """
    csv.field_size_limit(MAX_DOCUMENT_BYTES)  # its own limit of 128 KiB is less than what a document may hold
    rows = _Rows(source)
    columns = _columns(rows.header(), types)
    for number in itertools.count():
        try:
            cells = rows.following()
        except InvalidArgumentError as error:
            yield BadRecord(number, rows.place, error.message)
            continue
        if cells is None:
            return
        yield judged(number, rows.place, lambda row: _document(columns, row), cells)


class _Rows:
    """Rows of text, each with the line on which it begins."""

    def __init__(self, source: BinaryIO) -> None:
        self._reader = csv.reader(_text(source), strict=True)
        self.place = "line 1"

    def header(self) -> list[str]:
        cells = self.following()
        if cells is None:
            raise InvalidArgumentError("there is no header line", _BAD)
        return cells

    def following(self) -> list[str] | None:
        """The next row that is not empty; None at the end."""
        while True:
            self.place = f"line {self._reader.line_num + 1}"
            try:
                cells = next(self._reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                raise InvalidArgumentError(f"not CSV: {error}", _BAD) from error
            if cells != []:
                return cells


def _text(source: BinaryIO) -> Iterator[str]:
    """Lines as text. Octets that are not UTF-8 pass: an error in here would end the reader, and only one row is bad."""
    for line in lines(source):
        yield line.decode(errors="surrogateescape")


def _columns(header: list[str], types: Mapping[str, str]) -> list[Column]:
    """Each column's name, its path in the document, and what converts its cells."""
    for position, name in enumerate(header, start=1):
        if not all(name.split(".")):
            raise InvalidArgumentError(f"column {position} is named {name!r}; every column needs a name", _BAD)
        if header.index(name) != position - 1:
            raise InvalidArgumentError(f"two columns are named {name!r}", _BAD)
        if inner := next((other for other in header if other.startswith(f"{name}.")), None):
            raise InvalidArgumentError(f"column {name!r} can't be a value and hold {inner!r}", _BAD)
    if unknown := [name for name in types if name not in header and name != EVERY_COLUMN]:
        raise InvalidArgumentError(f"there is no column {unknown[0]!r}; columns: {', '.join(header)}", _BAD)
    other = types.get(EVERY_COLUMN, "auto")
    return [(name, tuple(name.split(".")), converter(types.get(name, other))) for name in header]


def _document(columns: list[Column], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(columns):
        raise InvalidArgumentError(f"{len(cells)} cells where the header has {len(columns)}", _BAD)
    document: dict[str, Any] = {}
    for (name, path, convert), cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        try:
            value = convert(cell if cell.isascii() else _utf8(cell))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"column {name!r}: {error.message}", error.reason) from error
        holder = document
        for part in path[:-1]:
            holder = holder.setdefault(part, {})
        holder[path[-1]] = value
    return document


def _utf8(cell: str) -> str:
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError("not UTF-8", _BAD) from error
    return cell
