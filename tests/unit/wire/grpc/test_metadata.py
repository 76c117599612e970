"""Metadata: what applications see, what they may send, and what is refused."""

from __future__ import annotations

import pytest

from laura_fast.wire.grpc.framing import BrokenMessageError
from laura_fast.wire.grpc.metadata import InvalidMetadataError, decode_metadata, encode_metadata


def test_applications_see_their_own_fields_in_order() -> None:
    fields = [
        (b"te", b"trailers"),
        (b"user-agent", b"x/1"),
        (b"grpc-timeout", b"5S"),
        (b"k", b"1"),
        (b"k-bin", b"AAE"),
        (b"k", b"2"),
    ]
    assert decode_metadata(fields) == [("user-agent", "x/1"), ("k", "1"), ("k-bin", b"\0\1"), ("k", "2")]


def test_binary_values_with_and_without_padding_and_joined() -> None:
    """A proxy may join values of one key with commas; base64 has none."""
    assert decode_metadata([(b"k-bin", b"AA==,AAE=,AAE,,")]) == [
        ("k-bin", b"\0"),
        ("k-bin", b"\0\1"),
        ("k-bin", b"\0\1"),
        ("k-bin", b""),
        ("k-bin", b""),
    ]


@pytest.mark.parametrize("value", [b"A", b"A===", b"!!!!", b"AA=A", b"AAE\x00", b"A A=", b"-_-_"])
def test_what_is_not_base64_is_refused(value: bytes) -> None:
    with pytest.raises(BrokenMessageError):
        decode_metadata([(b"k-bin", value)])


def test_text_beyond_ascii_reads_as_grpcio_reads_it() -> None:
    assert decode_metadata([(b"k", "é".encode()), (b"k", b"\xe9")]) == [("k", "é"), ("k", "é")]


def test_encode() -> None:
    metadata: list[tuple[str, str | bytes]] = [
        ("a.b-c_1", "~"),
        ("k-bin", b"\0\1"),
        ("text", b"octets"),
        ("grpc-status-details-bin", b""),
    ]
    assert encode_metadata(metadata) == [
        (b"a.b-c_1", b"~"),
        (b"k-bin", b"AAE"),
        (b"text", b"octets"),
        (b"grpc-status-details-bin", b""),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "v"),
        ("Upper", "v"),
        ("sp ace", "v"),
        (":path", "v"),
        ("k\n", "v"),
        ("ключ", "v"),
        ("grpc-status", "0"),
        ("content-type", "v"),
        ("connection", "close"),
        ("k", "a\r\nb: c"),
        ("k", "a\0"),
        ("k", "é"),
        ("k", " outer"),
        ("k-bin", "text"),
    ],
)
def test_what_must_not_be_sent(key: str, value: str) -> None:
    """RFC 9113 §8.2 and gRPC's grammar: a handler can't smuggle fields into its answer."""
    with pytest.raises(InvalidMetadataError):
        encode_metadata([(key, value)])
