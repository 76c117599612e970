"""HPACK encoder (RFC 7541): constant blocks for servers, a dynamic table for clients.

A server answers with few different blocks, so it writes each once without the dynamic table and sends the same octets
for ever. A client repeats the fields of its calls, so it keeps them in the peer's table.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

from laura_fast.limits.http2 import HPACK_TABLE_BYTES
from laura_fast.wire.http2 import hpack_huffman
from laura_fast.wire.http2.hpack_table import FIRST_DYNAMIC_INDEX, STATIC_TABLE, Field, field_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_INDEX_BY_FIELD: Final = {field: index for index, field in enumerate(STATIC_TABLE, 1)}
_INDEX_BY_NAME: Final = {name: index for index, (name, _) in reversed(list(enumerate(STATIC_TABLE, 1)))}

_Key = TypeVar("_Key")
_Form = tuple[int, int]
"""Largest value in the prefix, and the pattern of the bits before it (RFC 7541 §6)."""

_REFERENCE: Final[_Form] = (0x7F, 0x80)
_INCREMENTAL: Final[_Form] = (0x3F, 0x40)
_SIZE_UPDATE: Final[_Form] = (0x1F, 0x20)
_NEVER_INDEXED: Final[_Form] = (0x0F, 0x10)
_NOT_INDEXED: Final[_Form] = (0x0F, 0x00)
_HUFFMAN: Final[_Form] = (0x7F, 0x80)
_PLAIN: Final[_Form] = (0x7F, 0x00)

SENSITIVE_FIELDS: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"})
"""Never indexed by anyone on the way (RFC 7541 §7.1.3): a table shared with an attacker's fields would betray them."""

VOLATILE_FIELDS: Final = frozenset({b"content-length", b"grpc-timeout", b"traceparent", b"x-request-id"})
"""Different on each call: in the table they would only push out what repeats."""


def encode_constant(fields: Iterable[Field], sensitive: Collection[bytes] = SENSITIVE_FIELDS) -> bytes:
    """A block that neither reads nor changes a dynamic table: valid on every connection, at any time."""
    return b"".join([_constant_field(field, field[0] in sensitive) for field in fields])


def _constant_field(field: Field, sensitive: bool) -> bytes:
    if field in _INDEX_BY_FIELD:
        return _integer(_INDEX_BY_FIELD[field], _REFERENCE)
    return _literal(_NEVER_INDEXED if sensitive else _NOT_INDEXED, _INDEX_BY_NAME.get(field[0], 0), field)


class HeaderEncoder:
    """The sending side of one direction of one connection. Blocks must be sent in the order they were made.

    Args:
        max_table_bytes: What we are willing to remember, whatever the peer offers.
        sensitive: Names whose values are never indexed.
        volatile: Names whose values are not worth a place in the table.

    Attributes:
        generation: Changes whenever the table may have; until then equal fields have equal blocks.
    """

    def __init__(
        self,
        max_table_bytes: int = HPACK_TABLE_BYTES,
        sensitive: Collection[bytes] = SENSITIVE_FIELDS,
        volatile: Collection[bytes] = VOLATILE_FIELDS,
    ) -> None:
        self.generation = 0
        self._sensitive = sensitive
        self._volatile = volatile
        self._own_limit = max_table_bytes
        self._limit = HPACK_TABLE_BYTES
        self._announced = HPACK_TABLE_BYTES
        self._lowest = HPACK_TABLE_BYTES
        self._table_bytes = 0
        self._entries: deque[Field] = deque()
        self._inserted = 0
        self._number_by_field: dict[Field, int] = {}
        self._number_by_name: dict[bytes, int] = {}
        self.limit_table(HPACK_TABLE_BYTES)

    def limit_table(self, peer_table_bytes: int) -> None:
        """Obeys the peer's SETTINGS_HEADER_TABLE_SIZE; the next block tells it what we use of it."""
        self._limit = min(peer_table_bytes, self._own_limit)
        self._lowest = min(self._lowest, self._limit)
        self.generation += 1
        self._evict()

    def size_updates(self) -> bytes:
        """What the next block must begin with; usually nothing. For those who send constant blocks beside `encode`.

        RFC 7541 §4.2: the lowest limit since the last block, then the current one.
        """
        updates = b""
        if self._lowest < min(self._announced, self._limit):
            updates = _integer(self._lowest, _SIZE_UPDATE)
        if updates or self._limit != self._announced:
            updates += _integer(self._limit, _SIZE_UPDATE)
        self._lowest = self._announced = self._limit
        return updates

    def encode(self, fields: Iterable[Field]) -> bytes:
        """One header block."""
        return b"".join((self.size_updates(), *map(self._encode_field, fields)))

    def _encode_field(self, field: Field) -> bytes:
        name = field[0]
        index = self._index(_INDEX_BY_NAME.get(name), self._number_by_name.get(name))
        if name in self._sensitive:
            return _literal(_NEVER_INDEXED, index, field)
        whole = self._index(_INDEX_BY_FIELD.get(field), self._number_by_field.get(field))
        if whole:
            return _integer(whole, _REFERENCE)
        if name in self._volatile or field_bytes(field) > self._limit:
            return _literal(_NOT_INDEXED, index, field)
        self._insert(field)
        return _literal(_INCREMENTAL, index, field)

    def _index(self, static: int | None, number: int | None) -> int:
        """Index of an entry by its place in the static table or its number in the dynamic one; 0 if in neither."""
        if static is not None:
            return static
        return 0 if number is None else FIRST_DYNAMIC_INDEX + self._inserted - number

    def _insert(self, field: Field) -> None:
        self._entries.append(field)
        self.generation += 1
        self._inserted += 1
        self._number_by_field[field] = self._number_by_name[field[0]] = self._inserted
        self._table_bytes += field_bytes(field)
        self._evict()

    def _evict(self) -> None:
        while self._table_bytes > self._limit:
            number = self._inserted - len(self._entries) + 1
            field = self._entries.popleft()
            self._table_bytes -= field_bytes(field)
            _forget(self._number_by_field, field, number)
            _forget(self._number_by_name, field[0], number)


def _forget(numbers: dict[_Key, int], key: _Key, number: int) -> None:
    """Drops the evicted entry, unless a younger one has the same key."""
    if numbers[key] == number:
        del numbers[key]


def _literal(form: _Form, name_index: int, field: Field) -> bytes:
    head = _integer(name_index, form)
    return head + (b"" if name_index else _string(field[0])) + _string(field[1])


def _integer(value: int, form: _Form) -> bytes:
    """Integer with a prefix (RFC 7541 §5.1)."""
    most, pattern = form
    if value < most:
        return bytes((pattern | value,))
    octets = bytearray((pattern | most,))
    value -= most
    while value > 0x7F:  # noqa: PLR2004  # seven bits an octet
        octets.append(0x80 | (value & 0x7F))
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _string(data: bytes) -> bytes:
    """String literal, in Huffman code where that is shorter (RFC 7541 §5.2)."""
    length = hpack_huffman.encoded_length(data)
    if length < len(data):
        return _integer(length, _HUFFMAN) + hpack_huffman.encode(data)
    return _integer(len(data), _PLAIN) + data
