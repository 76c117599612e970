"""The HPACK encoder, read back by python-hyper's decoder and by our own."""

from __future__ import annotations

import hpack
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.wire.http2.hpack_decoder import HeaderDecoder
from laura_fast.wire.http2.hpack_encoder import HeaderEncoder, encode_constant
from laura_fast.wire.http2.hpack_table import STATIC_TABLE

names = st.one_of(
    st.sampled_from([b"te", b"grpc-timeout", b"authorization", b"x"]), st.binary(min_size=1, max_size=150)
)
fields = st.one_of(
    st.sampled_from(STATIC_TABLE),
    st.tuples(names, st.sampled_from([b"", b"a", b"trailers"])),
    st.tuples(names, st.binary(max_size=200)),
)
headers = st.lists(fields, max_size=10)
table_sizes = st.sampled_from([0, 40, 100, 500, 4096, 65536])


@given(st.lists(st.tuples(st.lists(table_sizes, max_size=3), headers), max_size=6), table_sizes)
def test_decoders_read_what_the_encoder_writes(
    steps: list[tuple[list[int], list[tuple[bytes, bytes]]]], own_limit: int
) -> None:
    """Also while the peer's table size changes, several times between two blocks."""
    encoder = HeaderEncoder(own_limit)
    oracle, decoder = hpack.Decoder(max_header_list_size=1 << 20), HeaderDecoder(4096, 1 << 20, 1000)
    for sizes, content in steps:
        for size in sizes:
            encoder.limit_table(size)
            oracle.max_allowed_table_size = size
            decoder.limit_table(size)
        block = encoder.encode(content)
        assert decoder.decode(block) == tuple(content)
        assert [(bytes(n), bytes(v)) for n, v in oracle.decode(block, raw=True)] == content


@given(headers, headers)
def test_constant_blocks_leave_the_table_alone(
    content: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]]
) -> None:
    """Valid between any two blocks of a connection."""
    encoder, decoder = HeaderEncoder(), HeaderDecoder(4096, 1 << 20, 1000)
    assert decoder.decode(encoder.encode(other)) == tuple(other)
    before = decoder.generation
    assert decoder.decode(encode_constant(content)) == tuple(content)
    assert decoder.generation == before
    assert decoder.decode(encoder.encode(other)) == tuple(other)
