"""gRPC framing, metadata, status and deadlines on random values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.errors import RpcError
from laura_fast.wire.grpc.compression import DEFLATE, GZIP, Codec
from laura_fast.wire.grpc.framing import Deframer, frame_message
from laura_fast.wire.grpc.metadata import decode_metadata, encode_metadata
from laura_fast.wire.grpc.status import decode_message, encode_message
from laura_fast.wire.grpc.timeout import format_timeout, parse_timeout

codecs = st.sampled_from([None, GZIP, DEFLATE])


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=8), codecs, st.lists(st.integers(1, 40)))
def test_messages_survive_any_cut(messages: list[tuple[bytes, bool]], codec: Codec | None, cuts: list[int]) -> None:
    stream = b"".join(frame_message(message, codec if packed else None) for message, packed in messages)
    deframer = Deframer(300, codec)
    found: list[bytes] = []
    for cut in cuts:
        deframer.push(stream[:cut])
        found += iter(deframer.pop, None)
        stream = stream[cut:]
    deframer.push(stream)
    found += iter(deframer.pop, None)
    assert found == [message for message, _ in messages]
    assert deframer.missing_bytes == 0
    deframer.finish()


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from([None, GZIP]))
def test_cuts_do_not_change_the_verdict(chunks: list[bytes], codec: Codec | None) -> None:
    """Random octets: fed whole or in pieces, the same messages or a refusal; never another exception."""

    def run(pieces: list[bytes]) -> tuple[list[bytes], bool]:
        deframer = Deframer(30, codec)
        found: list[bytes] = []
        try:
            for piece in pieces:
                deframer.push(piece)
                found += iter(deframer.pop, None)
        except RpcError:
            return [], True
        return found, False

    assert run(chunks) == run([b"".join(chunks)])


@given(st.text())
def test_status_messages_round_trip(message: str) -> None:
    encoded = encode_message(message)
    assert decode_message(encoded) == message.encode("utf-8", "replace").decode()
    assert all(0x20 <= octet < 0x7F for octet in encoded)


@given(st.binary())
def test_decoding_a_message_never_fails(value: bytes) -> None:
    decode_message(value)


keys = st.from_regex(r"[a-z0-9_.]{1,9}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)).map(str.strip)


@given(st.lists(st.one_of(st.tuples(keys, texts), st.tuples(keys.map("{}-bin".format), st.binary()))))
def test_metadata_round_trips(metadata: list[tuple[str, str | bytes]]) -> None:
    sendable = [(key, value) for key, value in metadata if key not in ("te", "host", "upgrade")]
    assert decode_metadata(encode_metadata(sendable)) == sendable


@given(st.floats(1e-9, 3e11))
def test_timeouts_are_never_shorter_and_precise(seconds: float) -> None:
    """The server never gives up before the client does; at most a ten-thousandth later."""
    back = parse_timeout(format_timeout(seconds))
    assert seconds - 1e-9 <= back * (1 + 1e-12)
    assert back == pytest.approx(seconds, rel=7e-5, abs=1e-9)
