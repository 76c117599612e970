"""grpc-status, grpc-message and what endings without them mean."""

from __future__ import annotations

import pytest

from laura_fast.errors import Code
from laura_fast.wire.grpc.status import (
    code_for_http_status,
    code_for_reset,
    decode_message,
    encode_message,
    parse_status,
    status_fields,
)
from laura_fast.wire.http2.errors import ErrorCode

SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


def test_special_message_of_the_interop_description() -> None:
    encoded = encode_message(SPECIAL)
    assert encoded == (b"%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A")
    assert decode_message(encoded) == SPECIAL


@pytest.mark.parametrize(
    ("value", "message"),
    [(b"100%", "100%"), (b"%2", "%2"), (b"%zz%41", "%zzA"), (b"%FF", "\ufffd"), (b"caf\xc3\xa9", "café")],
)
def test_decoding_never_fails(value: bytes, message: str) -> None:
    assert decode_message(value) == message


def test_lone_surrogates_do_not_break_the_answer() -> None:
    assert encode_message("\ud800") == b"?"


def test_status_fields() -> None:
    assert status_fields(Code.OK) == [(b"grpc-status", b"0")]
    assert status_fields(5, "50%") == [(b"grpc-status", b"5"), (b"grpc-message", b"50%25")]


@pytest.mark.parametrize(
    ("trailers", "expected"),
    [
        ({b"grpc-status": b"0"}, (Code.OK, "")),
        ({b"grpc-status": b"5", b"grpc-message": b"no%21"}, (Code.NOT_FOUND, "no!")),
        ({b"grpc-status": b"17"}, (Code.UNKNOWN, "")),
        ({b"grpc-status": b"05"}, (Code.UNKNOWN, "")),
        ({b"grpc-status": b"-1"}, (Code.UNKNOWN, "")),
        ({}, (Code.UNKNOWN, "trailers without grpc-status")),
    ],
)
def test_parse_status(trailers: dict[bytes, bytes], expected: tuple[Code, str]) -> None:
    assert parse_status(trailers) == expected


def test_answers_that_are_not_grpc() -> None:
    """GRPC http-grpc-status-mapping.md."""
    statuses = (400, 401, 403, 404, 429, 502, 503, 504, 200, 418)
    names = [code_for_http_status(status).name for status in statuses]
    assert names == [
        "INTERNAL", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", *["UNAVAILABLE"] * 4, "UNKNOWN", "UNKNOWN"
    ]  # fmt: skip


def test_resets() -> None:
    """GRPC over HTTP/2, "Errors"; codes that nobody defined included."""
    assert code_for_reset(ErrorCode.REFUSED_STREAM) == Code.UNAVAILABLE
    assert code_for_reset(ErrorCode.CANCEL) == Code.CANCELLED
    assert code_for_reset(ErrorCode.PROTOCOL_ERROR) == Code.INTERNAL
    assert code_for_reset(0xFFFF) == Code.INTERNAL
