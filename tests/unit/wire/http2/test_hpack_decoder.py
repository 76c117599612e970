"""HPACK decoder: the examples of RFC 7541 Appendix C, and each rule a block can break."""

from __future__ import annotations

import itertools

import pytest

from laura_fast.wire.http2 import hpack_huffman
from laura_fast.wire.http2.errors import (
    CompressionError,
    ErrorCode,
    HeaderBombError,
    HeaderListTooLargeError,
    MalformedFieldsError,
)
from laura_fast.wire.http2.hpack_decoder import HeaderDecoder

REQUEST_HEAD = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
AUTHORITY = (b":authority", b"www.example.com")
REQUESTS = (
    [*REQUEST_HEAD, AUTHORITY],
    [*REQUEST_HEAD, AUTHORITY, (b"cache-control", b"no-cache")],
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        AUTHORITY,
        (b"custom-key", b"custom-value"),
    ],
)
DATES = (b"Mon, 21 Oct 2013 20:13:21 GMT", b"Mon, 21 Oct 2013 20:13:22 GMT")
LOCATION = (b"location", b"https://www.example.com")
RESPONSES = (
    [(b":status", b"302"), (b"cache-control", b"private"), (b"date", DATES[0]), LOCATION],
    [(b":status", b"307"), (b"cache-control", b"private"), (b"date", DATES[0]), LOCATION],
    [
        (b":status", b"200"),
        (b"cache-control", b"private"),
        (b"date", DATES[1]),
        LOCATION,
        (b"content-encoding", b"gzip"),
        (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
)
PLAIN_REQUESTS = (
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
HUFFMAN_REQUESTS = (
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
PLAIN_RESPONSES = (
    (
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17"
        "68747470733a2f2f7777772e6578616d706c652e636f6d"
    ),
    "4803333037c1c0bf",
    (
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d41"
        "53444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b207665727369"
        "6f6e3d31"
    ),
)
HUFFMAN_RESPONSES = (
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    (
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd"
        "5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
    ),
)


@pytest.mark.parametrize(
    ("blocks", "expected", "table_bytes"),
    [
        (PLAIN_REQUESTS, REQUESTS, 4096),
        (HUFFMAN_REQUESTS, REQUESTS, 4096),
        (PLAIN_RESPONSES, RESPONSES, 256),
        (HUFFMAN_RESPONSES, RESPONSES, 256),
    ],
    ids=["C.3", "C.4", "C.5", "C.6"],
)
def test_examples_of_the_rfc(
    blocks: tuple[str, ...], expected: tuple[list[tuple[bytes, bytes]], ...], table_bytes: int
) -> None:
    decoder = HeaderDecoder(max_table_bytes=table_bytes)
    assert [list(decoder.decode(bytes.fromhex(block))) for block in blocks] == list(expected)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("80", id="index 0"),
        pytest.param("be", id="index beyond an empty dynamic table"),
        pytest.param("ff00", id="long index beyond the table"),
        pytest.param("7f0001", id="literal whose name index is beyond the table"),
        pytest.param("ff", id="ends inside an index"),
        pytest.param("40", id="ends before a name"),
        pytest.param("400161", id="ends before a value"),
        pytest.param("40016103", id="ends inside a value"),
        pytest.param("4085", id="ends inside a Huffman name"),
        pytest.param("ffffffffffff00", id="integer of six continuation octets"),
        pytest.param("ff8080808080808000", id="integer that goes on with zeroes"),
        pytest.param("3f80808080800082", id="six continuation octets of a small integer"),
        pytest.param("820020", id="table size update after a field"),
        pytest.param("8220", id="table size update at the end"),
        pytest.param("202020", id="three table size updates"),
        pytest.param("3fe21f", id="table larger than the settings allow"),
        pytest.param("00016181ff", id="Huffman padding of eight ones"),
        pytest.param("00016182ffff", id="Huffman padding longer than seven bits"),
        pytest.param("0001618118", id="Huffman padding with a zero"),
        pytest.param("00016184ffffffff", id="EOS in a Huffman string"),
    ],
)
def test_broken_block_is_a_compression_error(block: str) -> None:
    """RFC 7541 §2.3.3, 4.2, 5.1, 5.2, 6.3: COMPRESSION_ERROR, for the whole connection."""
    with pytest.raises(CompressionError) as caught:
        HeaderDecoder().decode(bytes.fromhex(block))
    assert (caught.value.error_code, caught.value.stream_id) == (ErrorCode.COMPRESSION_ERROR, 0)


def test_entry_larger_than_the_table_empties_it() -> None:
    """RFC 7541 §4.4: no error; the field is still there for this block."""
    decoder = HeaderDecoder(max_table_bytes=64)
    decoder.decode(bytes.fromhex("4001610162"))
    assert decoder.decode(b"\x40\x01a\x28" + b"b" * 40) == ((b"a", b"b" * 40),)
    with pytest.raises(CompressionError):
        decoder.decode(b"\xbe")


def test_name_may_come_from_the_entry_that_its_insertion_evicts() -> None:
    """RFC 7541 §4.4: the reference is resolved before the eviction."""
    decoder = HeaderDecoder(max_table_bytes=64)
    decoder.decode(b"\x40\x0aabcdefghij\x0aabcdefghij")
    assert decoder.decode(b"\x7e\x10" + b"v" * 16) == ((b"abcdefghij", b"v" * 16),)


def test_lowered_settings_demand_a_size_update() -> None:
    """RFC 7541 §4.2: once the peer acknowledged a smaller table, its next block says so."""
    decoder = HeaderDecoder()
    decoder.limit_table(100)
    assert decoder.decode(b"\x3f\x45\x82") == ((b":method", b"GET"),)
    decoder.limit_table(50)
    with pytest.raises(CompressionError):
        decoder.decode(b"\x82")


def test_five_continuation_octets_are_enough_for_any_integer() -> None:
    assert HeaderDecoder().decode(bytes.fromhex("3f808080800082")) == ((b":method", b"GET"),)


def test_generation_follows_the_table() -> None:
    """Whoever remembers blocks by their octets learns that octets mean something else now."""
    decoder = HeaderDecoder()
    generations = [decoder.generation]
    for block in (
        b"\x82\x00\x01a\x01b\x10\x01a\x01b",
        b"\x40\x01a\x01b",
        b"\xbe",
        b"\x40\x01a\x01b",
        b"\x20\x3f\xe1\x1f",
    ):
        decoder.split(block)
        generations.append(decoder.generation)
    changed = [after != before for before, after in itertools.pairwise(generations)]
    assert changed == [False, True, False, True, True]


def test_split_keeps_what_calls_have_in_common() -> None:
    """Two calls of a grpcio client with different deadlines: equal first parts, though the indices moved."""
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x05:path\x05/a/b/\x40\x02te\x08trailers")
    first = decoder.split(b"\xbf\x83\x86\xbe\x40\x0cgrpc-timeout\x025S")
    second = decoder.split(b"\xc0\x83\x86\xbf\x40\x0cgrpc-timeout\x024S")
    assert (
        first[0]
        == second[0]
        == ((b":path", b"/a/b/"), (b":method", b"POST"), (b":scheme", b"http"), (b"te", b"trailers"))
    )
    assert [first[1], second[1]] == [((b"grpc-timeout", b"5S"),), ((b"grpc-timeout", b"4S"),)]


@pytest.mark.parametrize("more", [b"", b"\x40\x01c\x01d"], ids=["one literal", "several"])
def test_split_keeps_the_order_of_one_name(more: bytes) -> None:
    """A value that the table knows, behind a new one of its name."""
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x01a\x011")
    common, own = decoder.split(b"\x82" + more + b"\x40\x01a\x012" + (b"\xc0" if more else b"\xbf"))
    assert [value for name, value in common + own if name == b"a"] == [b"2", b"1"]


def test_split_refuses_a_pseudo_header_after_a_literal() -> None:
    """RFC 9113 §8.3: the one wrong order that two parts would hide."""
    decoder = HeaderDecoder()
    with pytest.raises(MalformedFieldsError):
        decoder.split(b"\x82\x86\x40\x01a\x01b\x84")
    assert decoder.decode(b"\xbe") == ((b"a", b"b"),)


def test_hpack_bomb() -> None:
    """One large entry and a block of references to it: refused at the limit, fatal at twice the limit."""
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x01a\x7f\xd0\x0f" + b"b" * 2127)
    assert len(decoder.decode(b"\xbe" * 7)) == 7
    with pytest.raises(HeaderListTooLargeError):
        decoder.decode(b"\xbe" * 8)
    assert len(decoder.split(b"\xbe" * 7)[0]) == 7
    with pytest.raises(HeaderBombError) as caught:
        decoder.decode(b"\xbe" * 16)
    assert caught.value.error_code == ErrorCode.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("one", [b"\x82", b"\x00\x01a\x00", b"\x00\x00\x00"], ids=["reference", "literal", "empty"])
def test_too_many_fields(one: bytes) -> None:
    """CVE-2019-9516 and kin: fields cost more than their octets."""
    assert len(HeaderDecoder().decode(one * 100)) == 100
    with pytest.raises(HeaderListTooLargeError):
        HeaderDecoder().decode(one * 101)
    with pytest.raises(HeaderBombError):
        HeaderDecoder().split(one * 4000)


def test_huffman_code_is_the_one_of_the_rfc() -> None:
    """Spot checks of Appendix B at each end: the rest follows from the code being canonical."""
    assert hpack_huffman.encode(b"0") == b"\x07"
    assert hpack_huffman.encode(b"\x00") == b"\xff\xc7"
    assert hpack_huffman.encode(b"\x16") == b"\xff\xff\xff\xfb"


@pytest.mark.parametrize("own", [b"\x40\x01x\x01a", b"\x00\x01x\x01a", b"\x40\x01y\x01b\x40\x01x\x01a"])
def test_fields_of_one_name_keep_their_order_when_split(own: bytes) -> None:
    decoder = HeaderDecoder()
    decoder.split(b"\x83\x40\x01x\x01b")
    known = 0xBE + sum(part[:1] == b"@" for part in (own[:1], own[5:6]))  # where `x: b` is after `own` was inserted
    common, rest = decoder.split(b"\x83" + own + bytes((known,)))
    assert [value for name, value in common + rest if name == b"x"] == [b"a", b"b"]
