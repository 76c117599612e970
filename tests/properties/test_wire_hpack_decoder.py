"""The HPACK decoder against python-hyper's on random and damaged input, and its own ways against each other."""

from __future__ import annotations

from typing import Any

import hpack
import pytest
from hpack.exceptions import HPACKError
from hpack.struct import NeverIndexedHeaderTuple
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.errors import ProtocolError
from laura_fast.wire.http2 import hpack_huffman
from laura_fast.wire.http2.errors import CompressionError, RefusedFieldsError
from laura_fast.wire.http2.hpack_decoder import HeaderDecoder
from laura_fast.wire.http2.hpack_table import STATIC_TABLE
from tests.fuzz.hpack_target import check, own_decode, own_decoder

names = st.sampled_from([name for name, _ in STATIC_TABLE] + [b"grpc-timeout", b"te", b"x-request-id", b"k-bin"])
random_fields = st.tuples(
    st.one_of(names, st.binary(min_size=1, max_size=140)), st.one_of(st.just(b"5S"), st.binary(max_size=300))
)
fields = st.one_of(st.sampled_from(STATIC_TABLE), random_fields)
headers = st.lists(fields, max_size=12)


@given(st.lists(st.tuples(headers, st.booleans(), st.booleans()), max_size=6), st.sampled_from([0, 64, 300, 4096]))
def test_decodes_what_the_oracle_encodes(blocks: list[tuple[Any, bool, bool]], table_bytes: int) -> None:
    """Same fields, block after block, with evictions, Huffman or not, never-indexed or not."""
    encoder, decoder = hpack.Encoder(), own_decoder()
    encoder.header_table_size = table_bytes
    for content, huffman, sensitive in blocks:
        wrapped = [NeverIndexedHeaderTuple(*field) for field in content] if sensitive else content
        assert decoder.decode(encoder.encode(wrapped, huffman=huffman)) == tuple(content)


@st.composite
def hostile_blocks(draw: st.DrawFn) -> list[bytes]:
    """Valid blocks of one encoder, with octets changed, cut or added."""
    encoder, blocks = hpack.Encoder(), []
    for content in draw(st.lists(headers, min_size=1, max_size=4)):
        block = bytearray(encoder.encode(content, huffman=draw(st.booleans())))
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.integers(0, len(block)))
            block[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
        blocks.append(bytes(block))
    return blocks


references = st.lists(st.integers(0x80, 0xFF), max_size=20).map(bytes)
literals = st.sampled_from(
    [b"\x40\x0cgrpc-timeout\x025S", b"\x7e\x01x", b"\x00\x01a\x01b", b"\x44\x01/", b"\x3f\xe1\x1f", b"\x20"]
)
crafted_blocks = st.lists(st.lists(st.one_of(references, literals), max_size=6).map(b"".join), max_size=5)
any_blocks = st.one_of(hostile_blocks(), crafted_blocks, st.lists(st.binary(max_size=60), max_size=4))


@settings(max_examples=400)
@given(any_blocks)
def test_same_verdict_as_the_oracle(blocks: list[bytes]) -> None:
    """Damaged blocks: both refuse, or both find the same fields, and go on in step; `split` agrees with `decode`."""
    check(blocks)


@given(st.lists(any_blocks, max_size=3))
def test_equal_generation_means_equal_answers(rounds: list[list[bytes]]) -> None:
    """A block may be memoised while the generation stays."""
    decoder = own_decoder()
    for block in [block for blocks in rounds for block in blocks]:
        before = decoder.generation
        first = own_decode(decoder, block)
        if first is None:
            return
        if decoder.generation == before:
            assert decoder.decode(block) == first
            assert decoder.generation == before


@given(st.lists(headers, min_size=1, max_size=4), st.integers(1, 5), st.integers(33, 600))
def test_a_list_over_its_limits_leaves_the_table_in_step(
    blocks: list[Any], max_fields: int, max_list_bytes: int
) -> None:
    """A refused block changes the table like an accepted one."""
    encoder = hpack.Encoder()
    narrow, wide = HeaderDecoder(4096, max_list_bytes, max_fields), own_decoder()
    for content in blocks:
        block = encoder.encode(content)
        wide.decode(block)
        size = sum(len(name) + len(value) + 32 for name, value in content)
        if len(content) <= max_fields and size <= max_list_bytes:
            assert narrow.decode(block) == tuple(content)
            continue
        with pytest.raises(ProtocolError) as caught:
            narrow.decode(block)
        if not isinstance(caught.value, RefusedFieldsError):
            assert len(content) >= 2 * max_fields or size >= 2 * max_list_bytes
            return
        assert narrow._table == wide._table


@given(st.binary(max_size=200))
def test_huffman_code_is_its_own_inverse(data: bytes) -> None:
    encoded = hpack_huffman.encode(data)
    assert hpack_huffman.decode(encoded) == data
    assert len(encoded) == hpack_huffman.encoded_length(data)


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=40), st.lists(st.sampled_from([b"\xff", b"\xfe", b"\x7f", b"a"])).map(b"".join)))
def test_huffman_verdict_is_the_oracles(data: bytes) -> None:
    """Padding and EOS rules on strings that are no Huffman code."""
    try:
        expected = hpack.huffman_table.decode_huffman(data)
    except HPACKError:
        with pytest.raises(CompressionError):
            hpack_huffman.decode(data)
    else:
        assert hpack_huffman.decode(data) == expected
