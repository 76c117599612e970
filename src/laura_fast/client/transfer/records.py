"""What a reader of a file yields: records that are documents, and records that are not, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.client import MAX_JSON_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """A document.

    Attributes:
        number: Of the record in its file, from 0, bad ones counted.
        place: As an editor shows it: ``line 12``, ``document 3``.
        values: Its fields, decoded or as BSON.
    """

    number: int
    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Something that is no document, and why."""

    number: int
    place: str
    reason: str


Raw = TypeVar("Raw")
Records = Iterator[Record | BadRecord]

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def lines(source: BinaryIO) -> Iterator[bytes]:
    """Each line with its end, the byte order mark of the first taken off.

    Raises:
        InvalidArgumentError: A line is longer than any document can be.
    """
    number = 0
    while line := source.readline(MAX_JSON_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_JSON_LINE_BYTES:
            raise InvalidArgumentError(f"line {number} is longer than {MAX_JSON_LINE_BYTES} bytes", "LINE_TOO_LONG")
        yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def judged(number: int, place: str, read: Callable[[Raw], Mapping[str, Any]], raw: Raw) -> Record | BadRecord:
    """The record that `read` makes of `raw`, or why it is none."""
    try:
        return Record(number, place, read(raw))
    except InvalidArgumentError as error:
        return BadRecord(number, place, error.message)
