"""gRPC message framing: what is cut, what is refused, and when."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from laura_fast.errors import Code, OverloadedError, RpcError, UnimplementedError
from laura_fast.wire.grpc.compression import ACCEPTED, DEFLATE, GZIP, Codec, accepted_codec, codec_for
from laura_fast.wire.grpc.framing import BrokenMessageError, Deframer, frame_message

LIMIT = 1000


def cut(deframer: Deframer, data: bytes) -> list[bytes]:
    """Everything that `data` completes."""
    deframer.push(data)
    return list(iter(deframer.pop, None))


def test_one_message_in_one_frame() -> None:
    assert cut(Deframer(LIMIT), b"\0\0\0\0\x03abc") == [b"abc"]


def test_messages_come_in_any_cut() -> None:
    deframer = Deframer(LIMIT)
    stream = frame_message(b"") + frame_message(b"abc") + frame_message(b"x" * LIMIT)
    messages = [message for octet in stream for message in cut(deframer, bytes([octet]))]
    assert messages == [b"", b"abc", b"x" * LIMIT]
    deframer.finish()


def test_messages_are_inflated_only_when_they_are_popped() -> None:
    """A window full of well compressed messages costs a window."""
    deframer = Deframer(LIMIT, GZIP)
    deframer.push(frame_message(b"a" * LIMIT, GZIP) * 20)
    assert deframer.has_message
    assert deframer.held_bytes < LIMIT
    assert deframer.pop() == b"a" * LIMIT


def test_a_broken_message_does_not_hide_those_before_it() -> None:
    deframer = Deframer(LIMIT)
    deframer.push(frame_message(b"abc") + b"\x02\0\0\0\0")
    assert deframer.pop() == b"abc"
    with pytest.raises(BrokenMessageError):
        deframer.pop()


def test_surplus_bytes() -> None:
    deframer = Deframer(LIMIT)
    deframer.push(frame_message(b"abc"))
    assert (deframer.has_message, deframer.surplus_bytes) == (True, 0)
    deframer.push(b"\0")
    assert deframer.surplus_bytes == 1


def test_missing_bytes_of_the_message_that_has_begun() -> None:
    deframer = Deframer(LIMIT)
    assert deframer.missing_bytes == 0
    cut(deframer, b"\0")
    assert deframer.missing_bytes == 4
    cut(deframer, b"\0\0\0\x0aabc")
    assert deframer.missing_bytes == 7


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\0\0\0\x03\xe9", Code.RESOURCE_EXHAUSTED, id="one octet over the limit"),
        pytest.param(b"\0\x7f\xff\xff\xff", Code.RESOURCE_EXHAUSTED, id="2 GiB"),
        pytest.param(b"\0\0\0\x03\xe9" + b"x" * 1001, Code.RESOURCE_EXHAUSTED, id="over the limit and complete"),
        pytest.param(b"\x02\0\0\0\0", Code.INTERNAL, id="unknown flag"),
        pytest.param(b"\x80\0\0\0\x01a", Code.INTERNAL, id="web trailer flag"),
        pytest.param(b"\x01\0\0\0\x01a", Code.INTERNAL, id="compressed without an encoding"),
    ],
)
def test_refused_at_the_prefix(data: bytes, code: Code) -> None:
    """Before the first octet of the message is waited for."""
    with pytest.raises(RpcError) as caught:
        cut(Deframer(LIMIT), data)
    assert caught.value.code == code


def test_end_inside_a_message() -> None:
    deframer = Deframer(LIMIT)
    cut(deframer, b"\0\0\0\0\x02a")
    with pytest.raises(BrokenMessageError):
        deframer.finish()


@pytest.mark.parametrize("codec", [GZIP, DEFLATE], ids=["gzip", "deflate"])
class TestCompression:
    def test_round_trip(self, codec: Codec) -> None:
        framed = frame_message(b"a" * LIMIT, codec)
        assert framed[0] == 1
        assert len(framed) < 100
        assert cut(Deframer(LIMIT, codec), framed + frame_message(b"plain")) == [b"a" * LIMIT, b"plain"]

    def test_bomb_is_refused_without_being_inflated(self, codec: Codec) -> None:
        bomb = codec.compress(bytes(50_000_000))
        tracemalloc.start()
        with pytest.raises(OverloadedError):
            codec.decompress(bomb, LIMIT)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000

    def test_message_just_over_the_limit(self, codec: Codec) -> None:
        with pytest.raises(OverloadedError):
            codec.decompress(codec.compress(bytes(LIMIT + 1)), LIMIT)
        assert codec.decompress(codec.compress(bytes(LIMIT)), LIMIT) == bytes(LIMIT)

    @pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "more"])
    def test_damage_is_internal(self, codec: Codec, damage: str) -> None:
        packed = codec.compress(b"message")
        damaged = {"cut": packed[:-1], "garbage": b"garbage", "empty": b"", "more": packed + b"x"}[damage]
        with pytest.raises(BrokenMessageError):
            codec.decompress(damaged, LIMIT)


def test_formats_are_the_common_ones() -> None:
    """Gzip files and zlib streams, as every other gRPC implementation writes them."""
    assert GZIP.decompress(gzip.compress(b"a"), LIMIT) == b"a"
    assert DEFLATE.decompress(zlib.compress(b"a"), LIMIT) == b"a"


def test_codec_for_an_encoding() -> None:
    assert codec_for(b"gzip") is GZIP
    assert codec_for(b"identity") is None
    with pytest.raises(UnimplementedError) as caught:
        codec_for(b"snappy\xff")
    assert caught.value.metadata == {"accepted": ACCEPTED.decode()}


def test_answers_use_only_what_the_peer_accepts() -> None:
    assert accepted_codec(GZIP, b"identity, deflate,gzip") is GZIP
    assert accepted_codec(GZIP, b"identity,gzipped") is None
    assert accepted_codec(None, b"gzip") is None
