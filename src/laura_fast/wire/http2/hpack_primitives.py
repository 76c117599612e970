"""Integers and strings of HPACK (RFC 7541 §5): what they are at a position of a block, and where the next thing begins.

A block that ends inside one raises IndexError or CompressionError; the decoder makes one error of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.limits.http2 import HPACK_INTEGER_OCTETS
from laura_fast.wire.http2 import hpack_huffman
from laura_fast.wire.http2.errors import CompressionError

if TYPE_CHECKING:
    from laura_fast.wire.http2.hpack_table import Field

HUFFMAN: Final = 0x80
"""Flag of a string's length octet."""

LONG_STRING: Final = 0x7F
"""A length that goes on in further octets."""


def read_plain_pair(block: bytes, position: int) -> tuple[Field, int] | None:
    """Name and value where both are short and not Huffman: grpcio's new `grpc-timeout`, at half the cost.

    Kept by the header cases of bench/test_wire.py; equal to the general way by tests/properties/wire_hpack.
    """
    name_length = block[position]
    if name_length >= LONG_STRING:
        return None
    value_at = position + 1 + name_length
    end = value_at + 1 + block[value_at]
    if block[value_at] >= LONG_STRING or end > len(block):
        return None
    return (block[position + 1 : value_at], block[value_at + 1 : end]), end


def read_integer(block: bytes, position: int, mask: int) -> tuple[int, int]:
    """Integer with a prefix of the bits in `mask` (RFC 7541 §5.1), and the position after it."""
    value = block[position] & mask
    position += 1
    if value < mask:
        return value, position
    for shift in range(0, 7 * HPACK_INTEGER_OCTETS, 7):
        octet = block[position]
        position += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:  # noqa: PLR2004  # the continuation bit
            return value, position
    raise CompressionError("integer too long")


def read_string(block: bytes, position: int) -> tuple[bytes, int]:
    """String literal (RFC 7541 §5.2), and the position after it."""
    huffman = block[position] >= HUFFMAN
    length, position = read_integer(block, position, 0x7F)
    end = position + length
    if end > len(block):
        raise CompressionError("block ends inside a string")
    data = block[position:end]
    return (hpack_huffman.decode(data) if huffman else data), end
