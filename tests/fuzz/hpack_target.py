"""Fuzz target: header blocks through our decoder and python-hyper's, which must agree."""

from __future__ import annotations

import re

import hpack
from hpack.exceptions import HPACKError

from laura_fast.wire.http2.errors import CompressionError, MalformedFieldsError
from laura_fast.wire.http2.hpack_decoder import HeaderDecoder

_PLENTY = 1 << 30
_LONG_INTEGER = re.compile(rb"[\x80-\xff]{5}").search
_SIZE_UPDATES = re.compile(rb"([\x20-\x3e]|\x3f[\x80-\xff]*[\x00-\x7f]){3}").match
Fields = tuple[tuple[bytes, bytes], ...]


def own_decoder() -> HeaderDecoder:
    """Our decoder with list limits that stay out of the way."""
    return HeaderDecoder(max_list_bytes=_PLENTY, max_fields=_PLENTY)


def oracle_decoder() -> hpack.Decoder:
    return hpack.Decoder(max_header_list_size=_PLENTY)


def own_decode(decoder: HeaderDecoder, block: bytes) -> Fields | None:
    """Fields, or None for a refused block."""
    try:
        return decoder.decode(block)
    except CompressionError:
        return None


def oracle_decode(decoder: hpack.Decoder, block: bytes) -> Fields | None:
    """The same by python-hyper; an IndexError of it is a truncated block."""
    try:
        return tuple((bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True))
    except (HPACKError, IndexError):
        return None


def listed_difference(block: bytes) -> bool:
    """Blocks that we may refuse on purpose while python-hyper takes them.

    Too many size updates (limits.http2.HPACK_SIZE_UPDATES), and integers with more continuation octets than
    limits.http2.HPACK_INTEGER_OCTETS.
    """
    return bool(_LONG_INTEGER(block) or _SIZE_UPDATES(block))


def split_blocks(data: bytes) -> list[bytes]:
    """Fuzzer input as blocks of one connection: a length octet before each."""
    blocks, position = [], 0
    while position < len(data):
        end = position + 1 + data[position]
        blocks.append(data[position + 1 : end])
        position = end
    return blocks


def check(blocks: list[bytes]) -> None:
    """Same verdict and fields from both decoders and both of our ways, block after block."""
    oracle, whole, parts = oracle_decoder(), own_decoder(), own_decoder()
    for block in blocks:
        fields = own_decode(whole, block)
        check_split(parts, block, fields)
        expected = oracle_decode(oracle, block)
        if fields is None and listed_difference(block):
            return
        assert fields == expected, (block.hex(), fields, expected)
        if expected is None:
            return


def check_split(decoder: HeaderDecoder, block: bytes, fields: Fields | None) -> None:
    """`split` finds the fields of `decode`, and refuses more only where a pseudo-header field comes late."""
    try:
        common, own = decoder.split(block)
    except CompressionError:
        assert fields is None, block.hex()
    except MalformedFieldsError:
        assert fields is not None
        assert not pseudo_first(fields), block.hex()
    else:
        assert fields is not None
        assert by_name(common + own) == by_name(fields), block.hex()
        assert not any(name.startswith(b":") for name, _ in own)
        assert pseudo_first(common) == pseudo_first(fields), block.hex()


def by_name(fields: Fields) -> dict[bytes, list[bytes]]:
    """Values of each name in their order, which has a meaning (RFC 9110 §5.3); that of names has none."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return values


def pseudo_first(fields: Fields) -> bool:
    """RFC 9113 §8.3: no pseudo-header field behind a regular one."""
    regular = [not name.startswith(b":") for name, _ in fields]
    return sorted(regular) == regular


def one_input(data: bytes) -> None:
    check(split_blocks(data))
