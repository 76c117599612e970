"""RFC 7541 at the server: blocks it must decode, and blocks that must end the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hpack
import pytest

from tests.contract.http2_conformance.peer import (
    COMPRESSION_ERROR,
    HEADERS,
    SETTINGS,
    data,
    headers,
    literal,
    message,
    request,
    settings,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.conftest import Connect
    from tests.contract.http2_conformance.peer import Peer

FIELDS = literal(request())

BROKEN = {
    "2.3.3 index 0": b"\x80",
    "2.3.3 index beyond both tables": b"\xbe",
    "2.3.3 large index beyond both tables": b"\xff\xff\xff\xff\x0f",
    "2.3.3 name index beyond both tables": b"\x7e\x01a",
    "4.2 size update at the end": FIELDS + b"\x20",
    "4.2 size update between fields": b"\x82\x20" + FIELDS,
    "4.2 size update above the settings": b"\x3f\xe2\x1f" + FIELDS,
    "4.2 three size updates": b"\x20\x20\x20" + FIELDS,
    "5.1 integer that never ends": b"\xff" + b"\x80" * 20 + b"\x01",
    "5.1 integer beyond 64 bits": b"\xff" + b"\xff" * 10 + b"\x7f",
    "5.2 Huffman padding of eleven ones": b"\x00\x01a\x82\x1f\xff",
    "5.2 Huffman padding of zeroes": b"\x00\x01a\x81\x18",
    "5.2 EOS in a Huffman string": b"\x00\x01a\x84\xff\xff\xff\xff",
    "5.2 string longer than the block": b"\x00\x7f\x80\x01abc",
    "6.2 literal without a value": b"\x40\x01a",
    "6.2 literal without anything": b"\x00",
    "6.1 cut inside an index": b"\xff",
}


@pytest.mark.parametrize("block", BROKEN.values(), ids=BROKEN)
async def test_broken_block(peer: Peer, block: bytes) -> None:
    """RFC 9113 §4.3: a connection error COMPRESSION_ERROR."""
    peer.send(headers(1, block=block))
    assert await peer.verdict() == ("goaway", COMPRESSION_ERROR)


@pytest.mark.parametrize("block", BROKEN.values(), ids=BROKEN)
async def test_broken_block_in_trailers(peer: Peer, block: bytes) -> None:
    """Every block counts, wanted or not."""
    peer.send(headers(1, request("Hang")), headers(1, block=block, flags=0x5))
    assert await peer.verdict() == ("goaway", COMPRESSION_ERROR)


LEGAL = {
    "4.2 size update to 0": b"\x20",
    "4.2 size update to the limit": b"\x3f\xe1\x1f",
    "4.2 two size updates": b"\x20\x3f\xe1\x1f",
    "5.1 integer with needless zeroes": b"\x3f\x80\x80\x00",
}


@pytest.mark.parametrize("prefix", LEGAL.values(), ids=LEGAL)
async def test_legal_block(peer: Peer, prefix: bytes) -> None:
    peer.send(headers(1, block=prefix + FIELDS + b"\x10\x01a\x01b"), data(1, message(b"again")))
    assert (await peer.answer(1)).messages == [b"again"]


@pytest.mark.parametrize("huffman", [False, True])
async def test_a_table_that_fills_and_evicts(peer: Peer, huffman: bool) -> None:
    """A client that indexes a new deadline and a new request id on each call; 300 calls wrap the table many times."""
    encoder = hpack.Encoder()
    for number in range(300):
        fields = request(grpc_timeout=b"%dm" % (10_000 + number), x_request_id=b"id-%d" % number)
        stream_id = 2 * number + 1
        peer.send(headers(stream_id, block=encoder.encode(fields, huffman=huffman)), data(stream_id, message(b"a")))
        assert (await peer.answer(stream_id)).messages == [b"a"]


async def test_many_calls_in_one_segment_with_a_moving_table(peer: Peer) -> None:
    """Blocks whose octets are equal but mean something else, and the other way round."""
    encoder, octets = hpack.Encoder(), b""
    for number in range(60):
        fields = request(grpc_timeout=b"%dS" % (10 + number % 7))
        octets += headers(2 * number + 1, block=encoder.encode(fields)) + data(2 * number + 1, message(b"%d" % number))
    peer.send(octets)
    answers = await peer.answers(*range(1, 121, 2))
    assert [answers[2 * number + 1].messages for number in range(60)] == [[b"%d" % number] for number in range(60)]


async def test_a_smaller_table_of_the_client_is_obeyed(connect: Connect) -> None:
    """§4.2: after SETTINGS_HEADER_TABLE_SIZE 0 the next block of the server begins with a size update."""
    peer = await connect(first=settings((1, 0)))
    await peer.until(SETTINGS, ack=True)
    peer.send(headers(1), data(1, message(b"x")))
    block = (await peer.until(HEADERS, stream_id=1)).payload
    decoder = hpack.Decoder()
    decoder.max_allowed_table_size = 0
    assert (b":status", b"200") in list(decoder.decode(block, raw=True))


async def test_a_larger_table_of_the_client_changes_nothing(connect: Connect) -> None:
    peer = await connect(first=settings((1, 1 << 20)))
    assert await peer.is_served(1)
    assert await peer.is_served(3)
