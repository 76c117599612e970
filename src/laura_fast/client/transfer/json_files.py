"""Files of Extended JSON: a document per line, or documents laid out in any way."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from laura_fast.client.documents.extended_json import parse, parse_value_at
from laura_fast.client.transfer.records import BYTE_ORDER_MARK, BadRecord, Record, judged, lines
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.client import MAX_JSON_LINE_BYTES
from laura_fast.limits.units import KIB

if TYPE_CHECKING:
    from laura_fast.client.transfer.records import Records

_FIRST_READ: Final = 64 * KIB
_BETWEEN: Final = " \t\r\n,[]"
"""What may stand before, between and after the documents of a list."""


def read_json_lines(source: BinaryIO) -> Records:
    """A document per line; empty lines are passed over. A bad line does not hinder the next."""
    number = 0
    for line_number, line in enumerate(lines(source), start=1):
        if text := line.strip():
            yield judged(number, f"line {line_number}", parse, text)
            number += 1


def read_json(source: BinaryIO) -> Records:
    """The documents of one array, or one after another, over any number of lines each.

    After a text that is not JSON nothing more can be told apart, so that is the last record.
    """
    text = _Text(source)
    number = 0
    while text.skip():
        place = f"line {text.line}"
        try:
            value = text.take()
        except InvalidArgumentError as error:
            yield BadRecord(number, place, f"{error.message}; nothing after it can be read")
            return
        if isinstance(value, dict):
            yield Record(number, place, value)
        else:
            yield BadRecord(number, place, "not a document")
        number += 1


class _Text:
    """The part of a file that is held, and how far it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self.line = 1
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._held = ""
        self._at = 0
        self._ended = False
        self._more(_FIRST_READ)
        self._held = self._held.removeprefix(BYTE_ORDER_MARK.decode())

    def skip(self) -> bool:
        """Goes to the next value; False at the end of the file."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _BETWEEN:
                self.line += self._held[self._at] == "\n"
                self._at += 1
            if self._at < len(self._held):
                return True
            if not self._more(_FIRST_READ):
                return False

    def take(self) -> Any:
        """The value that begins here. Reads on while the text ends within it.

        Raises:
            InvalidArgumentError: It is not JSON, or longer than any document can be.
        """
        while True:
            try:
                value, end = parse_value_at(self._held, self._at)
            except InvalidArgumentError:
                held = len(self._held) - self._at
                if held <= MAX_JSON_LINE_BYTES and self._more(max(_FIRST_READ, held)):
                    continue
                parse_value_at(self._held[self._at :], 0)  # raises again, with places counted from its beginning
                raise
            self.line += self._held.count("\n", self._at, end)
            self._at = end
            return value

    def _more(self, octets: int) -> bool:
        """Reads on and forgets what was taken; False at the end of the file."""
        if self._ended:
            return False
        octets_read = self._source.read(octets)
        self._ended = not octets_read
        try:
            fresh = self._decoder.decode(octets_read, final=self._ended)
        except UnicodeDecodeError as error:
            raise InvalidArgumentError(f"not UTF-8: {error.reason}", "MALFORMED_JSON") from error
        self._held = self._held[self._at :] + fresh
        self._at = 0
        return bool(fresh) or not self._ended
