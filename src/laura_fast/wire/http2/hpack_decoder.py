"""HPACK decoder (RFC 7541), fast where gRPC clients need it.

A gRPC call is mostly references to table entries, one octet each, and perhaps a literal such as a new `grpc-timeout`
that moves every index by one. So the table is a list in which the octet of a reference is itself the position of its
field, and a run of references becomes fields in one pass of C code.
"""

from __future__ import annotations

from typing import Final

from laura_fast.limits.http2 import (
    HEADER_FIELDS,
    HEADER_LIST_ABUSE_FACTOR,
    HPACK_SIZE_UPDATES,
    HPACK_TABLE_BYTES,
    MAX_METADATA_BYTES,
)
from laura_fast.wire.http2 import hpack_huffman
from laura_fast.wire.http2.errors import (
    CompressionError,
    HeaderBombError,
    HeaderListTooLargeError,
    MalformedFieldsError,
)
from laura_fast.wire.http2.hpack_primitives import HUFFMAN, LONG_STRING, read_integer, read_plain_pair, read_string
from laura_fast.wire.http2.hpack_table import (
    FIELD_OVERHEAD_BYTES,
    FIRST_DYNAMIC_INDEX,
    STATIC_TABLE,
    Field,
    Fields,
    field_bytes,
)

_REFERENCE: Final = 0x80
_INCREMENTAL: Final = 0x40
_SIZE_UPDATE: Final = 0x20
_LONG_NAME: Final = 0x7F

_LONG_REFERENCE: Final = 0xFF
_REFERENCES: Final = bytes(range(_REFERENCE + 1, _LONG_REFERENCE))
"""Octets that are a whole reference: not index 0, not the start of a longer integer."""

_NOTHING: Final[Field] = (b"", b"")
_STATIC_PART: Final = [_NOTHING] * (_REFERENCE + 1) + list(STATIC_TABLE)
"""Position 0x80 + index; the positions below index 1 are never read."""

_LARGEST_STATIC_FIELD: Final = max(map(field_bytes, STATIC_TABLE))
_FIRST_DYNAMIC: Final = _REFERENCE + FIRST_DYNAMIC_INDEX


class HeaderDecoder:
    """The receiving side of one direction of one connection.

    After a `RefusedFieldsError` it can go on; after a `CompressionError` or `HeaderBombError` it can't.

    Attributes:
        generation: Changes whenever decoding changed the dynamic table; until then equal blocks have equal fields.
    """

    __slots__ = (
        "_largest_field",
        "_max_fields",
        "_max_list_bytes",
        "_max_table_bytes",
        "_table",
        "_table_bytes",
        "_table_limit",
        "generation",
    )

    def __init__(
        self,
        max_table_bytes: int = HPACK_TABLE_BYTES,
        max_list_bytes: int = MAX_METADATA_BYTES,
        max_fields: int = HEADER_FIELDS,
    ) -> None:
        self.generation = 0
        self._max_table_bytes = max_table_bytes  # what our SETTINGS allow
        self._table_limit = max_table_bytes  # what the peer uses of it
        self._table_bytes = 0
        self._table = _STATIC_PART.copy()
        self._max_list_bytes = max_list_bytes
        self._max_fields = max_fields
        self._largest_field = _LARGEST_STATIC_FIELD

    def limit_table(self, max_table_bytes: int) -> None:
        """Puts a new SETTINGS_HEADER_TABLE_SIZE of ours in force, once the peer has acknowledged it.

        A peer that uses more must say in its next block that it now uses less (RFC 7541 §4.2).
        """
        self._max_table_bytes = max_table_bytes

    def decode(self, block: bytes) -> Fields:
        """Fields of a complete header block, in their order.

        Raises:
            CompressionError: The block breaks RFC 7541.
            HeaderListTooLargeError: More than the limits allow; the table is in step.
            HeaderBombError: Twice the limits or more.
        """
        fields: list[Field] = []
        self._read(block, fields, fields, [])
        if len(fields) > self._max_fields or len(fields) * self._largest_field > self._max_list_bytes:
            self._check_list(fields)
        return tuple(fields)

    def split(self, block: bytes) -> tuple[Fields, Fields]:
        """Like `decode`, in two parts: what calls have in common, and what this one spells out for itself.

        The first part has the references to the table and all pseudo-header fields, in their order; the second has
        the other literals. So the first is the same for similar calls, though `grpc-timeout` or a request id differ
        and the indices move, and a table of prepared requests can be keyed by it. Fields of one name keep their order
        (RFC 9110 §5.3) when the second part is put behind the first; where it would be lost, all are in the first part.

        Raises:
            MalformedFieldsError: A pseudo-header field follows a regular one, as far as the parts would hide it
                (RFC 9113 §8.3); the table is in step.
        """
        frequent = self._split_frequent(block)
        if frequent is not None:
            return frequent
        common: list[Field] = []
        own: list[Field] = []
        own_at: list[int] = []
        self._read(block, common, own, own_at)
        count = len(common) + len(own)
        if count > self._max_fields or count * self._largest_field > self._max_list_bytes:
            self._check_list(common + own)
        behind = common[own_at[0] :] if own else ()
        if behind and behind[0][0].startswith(b":"):
            raise MalformedFieldsError("pseudo-header field after a regular one")
        if behind and not {name for name, _ in own}.isdisjoint(name for name, _ in behind):
            return _in_order(common, own, own_at), ()
        return tuple(common), tuple(own)

    def _split_frequent(self, block: bytes) -> tuple[Fields, Fields] | None:
        """`split` of a block with one new `grpc-timeout` among references; None for any other, untouched.

        Calls with a deadline each look like that: Go refers to the name, grpcio spells it out. In one pass it costs a
        third of the general way (header cases of bench/test_wire.py), which tests/properties/test_wire_hpack_decoder.py
        and the fuzz target hold it equal to.
        """
        rest = block.lstrip(_REFERENCES)
        if not rest or self._table_limit > self._max_table_bytes:
            return None
        field_at = self._table.__getitem__
        try:
            short = read_plain_pair(rest, 1) if rest[0] == _INCREMENTAL else self._read_short(rest)
            if short is None:
                return None
            field, end = short
            behind = rest[end:]
            if field[0][:1] == b":" or behind.lstrip(_REFERENCES):
                return None
            common = tuple(map(field_at, block[: len(block) - len(rest)]))
        except IndexError:
            return None
        count = len(common) + len(behind) + 1
        size = len(field[0]) + len(field[1]) + FIELD_OVERHEAD_BYTES
        if count > self._max_fields or count * max(size, self._largest_field) > self._max_list_bytes:
            return None
        return self._with_frequent(common, field, behind)

    def _with_frequent(self, common: Fields, field: Field, behind: bytes) -> tuple[Fields, Fields]:
        self._insert(field)
        if not behind:
            return common, (field,)
        try:
            more = tuple(map(self._table.__getitem__, behind))
        except IndexError:
            raise CompressionError("index beyond the table") from None
        if more[0][0][:1] == b":":
            raise MalformedFieldsError("pseudo-header field after a regular one")
        if field[0] in dict(more):
            return (*common, field, *more), ()
        return common + more, (field,)

    def _read_short(self, block: bytes) -> tuple[Field, int] | None:
        """A literal for the table with the short index of its name and a short value, at the beginning of `block`."""
        start, length = block[0], block[1]
        end = 2 + (length & LONG_STRING)
        if not _INCREMENTAL < start < _LONG_NAME or length & LONG_STRING == LONG_STRING or end > len(block):
            return None
        value = block[2:end]
        name = self._table[_INCREMENTAL + start][0]  # at 0x80 + (start - 0x40)
        return (name, hpack_huffman.decode(value) if length & HUFFMAN else value), end

    def _read(self, block: bytes, common: list[Field], own: list[Field], own_at: list[int]) -> None:
        """Sorts the fields into `common` and `own`, which may be one list.

        `own_at` gets how many were in `common` when each of `own` came.
        """
        try:
            position = len(block) - len(block.lstrip(_REFERENCES))
            common += map(self._table.__getitem__, block[:position])
            if position < len(block) or self._table_limit > self._max_table_bytes:
                self._read_mixed(block, position or self._read_size_updates(block), common, own, own_at)
        except IndexError:
            raise CompressionError("index beyond the table, or a block that ends inside a field") from None

    def _read_mixed(
        self, block: bytes, position: int, common: list[Field], own: list[Field], own_at: list[int]
    ) -> None:
        if self._table_limit > self._max_table_bytes:
            raise CompressionError("table size not reduced as the settings demand")
        size, most = len(block), HEADER_LIST_ABUSE_FACTOR * self._max_fields
        while position < size and len(common) <= most and len(own) <= most:  # a bomb need not be read to its end
            start = block[position]
            if start < _REFERENCE:
                field, position = self._read_literal(block, position)
                if not field[0].startswith(b":"):
                    own_at.append(len(common))
                    own.append(field)
                    continue
            elif _REFERENCE < start < _LONG_REFERENCE:
                field, position = self._table[start], position + 1
            else:
                field, position = self._read_long_reference(block, position)
            common.append(field)

    def _read_long_reference(self, block: bytes, position: int) -> tuple[Field, int]:
        index, position = read_integer(block, position, 0x7F)
        if index == 0:
            raise CompressionError("reference to index 0")
        return self._table[_REFERENCE + index], position

    def _read_literal(self, block: bytes, position: int) -> tuple[Field, int]:
        """A literal at `position`: its field, now in the table if it belongs there, and where the next one begins."""
        start = block[position]
        if start == _INCREMENTAL:
            plain = read_plain_pair(block, position + 1)
            if plain is not None:
                self._insert(plain[0])
                return plain
        if start >= _INCREMENTAL:
            field, position = self._read_pair(block, position, 0x3F)
            self._insert(field)
            return field, position
        if start >= _SIZE_UPDATE:
            raise CompressionError("table size update after a field")
        field, position = self._read_pair(block, position, 0x0F)
        self._largest_field = max(self._largest_field, field_bytes(field))
        return field, position

    def _read_pair(self, block: bytes, position: int, mask: int) -> tuple[Field, int]:
        index, position = read_integer(block, position, mask)
        if index:
            name = self._table[_REFERENCE + index][0]
        else:
            name, position = read_string(block, position)
        value, position = read_string(block, position)
        return (name, value), position

    def _insert(self, field: Field) -> None:
        size = len(field[0]) + len(field[1]) + FIELD_OVERHEAD_BYTES
        if size > self._largest_field:  # noqa: PLR1730  # max() would double the cost of this line on the hot path
            self._largest_field = size
        self._table.insert(_FIRST_DYNAMIC, field)
        self._table_bytes += size
        self.generation += 1
        if self._table_bytes > self._table_limit:
            self._evict()

    def _evict(self) -> None:
        """Forgets the oldest entries until the rest fits, the one just added included (RFC 7541 §4.4)."""
        while self._table_bytes > self._table_limit:
            name, value = self._table.pop()
            self._table_bytes -= len(name) + len(value) + FIELD_OVERHEAD_BYTES

    def _read_size_updates(self, block: bytes) -> int:
        position = updates = 0
        while position < len(block) and _SIZE_UPDATE <= block[position] < _INCREMENTAL:
            self._table_limit, position = read_integer(block, position, 0x1F)
            updates += 1
            if self._table_limit > self._max_table_bytes or updates > HPACK_SIZE_UPDATES:
                raise CompressionError("table size update beyond what was allowed")
            self._evict()
            self.generation += 1
        return position

    def _check_list(self, fields: list[Field]) -> None:
        """Refuses what exceeds the limits. The table is in step by now; entries are shared, so a bomb was cheap."""
        count, worst = len(fields), len(fields) * self._largest_field
        if count <= self._max_fields and worst <= self._max_list_bytes:
            return
        size = sum(map(field_bytes, fields)) if count < HEADER_LIST_ABUSE_FACTOR * self._max_fields else worst
        excess = max(count / self._max_fields, size / self._max_list_bytes)
        if excess >= HEADER_LIST_ABUSE_FACTOR:
            raise HeaderBombError(f"header list of {count} fields")
        if excess > 1:
            raise HeaderListTooLargeError(f"header list of {count} fields, {size} octets")


def _in_order(common: list[Field], own: list[Field], own_at: list[int]) -> Fields:
    """All fields as they stood in the block."""
    fields = common.copy()
    for field, at in zip(reversed(own), reversed(own_at), strict=True):
        fields.insert(at, field)
    return tuple(fields)
