"""HPACK encoder: which representation each field gets."""

from __future__ import annotations

from laura_fast.wire.http2.hpack_encoder import HeaderEncoder, encode_constant

CALL = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/lauradb.cluster.ClusterService/Heartbeat"),
    (b"te", b"trailers"),
]


def test_repeated_fields_become_one_octet_each() -> None:
    encoder = HeaderEncoder()
    encoder.encode(CALL)
    assert encoder.encode(CALL) == bytes([0x83, 0x86, 0x80 | 63, 0x80 | 62])


def test_a_new_deadline_leaves_the_table_alone() -> None:
    """`grpc-timeout` differs on each call; indexing it would push out what repeats."""
    encoder = HeaderEncoder()
    encoder.encode(CALL)
    assert encoder.encode([(b"grpc-timeout", b"5S")]).startswith(b"\x00")
    assert len(encoder.encode(CALL)) == 4


def test_sensitive_fields_are_never_indexed() -> None:
    """RFC 7541 §7.1.3: neither by us nor by a proxy on the way."""
    secret = [(b"authorization", b"Bearer x")]
    encoder = HeaderEncoder()
    assert encoder.encode(secret)[:2] == encoder.encode(secret)[:2] == encode_constant(secret)[:2] == b"\x1f\x08"


def test_smaller_table_of_the_peer_is_announced_once() -> None:
    """RFC 7541 §4.2: the lowest size since the last block, then the current one."""
    encoder = HeaderEncoder()
    encoder.limit_table(0)
    encoder.limit_table(100)
    assert encoder.encode([]) == b"\x20\x3f\x45"
    assert encoder.encode([]) == b""


def test_own_limit_below_the_default_is_announced_with_the_first_block() -> None:
    assert HeaderEncoder(0).encode([(b"a", b"b")]) == b"\x20\x00\x01a\x01b"


def test_huffman_only_where_shorter() -> None:
    assert encode_constant([(b"a", b"\x00\x01")]) == b"\x00\x01a\x02\x00\x01"
    assert encode_constant([(b"aaaaaaaa", b"")]) == b"\x00\x85\x18\xc6\x31\x8c\x63\x00"
