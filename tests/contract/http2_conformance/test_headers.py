"""RFC 9113 §8: what makes a request malformed, and what a malformed one may not harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.http2_conformance.peer import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    PROTOCOL_ERROR,
    RST_STREAM,
    Field,
    data,
    frame,
    headers,
    literal,
    message,
    request,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.peer import Peer

REQUEST = request()


def without(name: bytes) -> list[Field]:
    return [pair for pair in REQUEST if pair[0] != name]


def replaced(name: bytes, value: bytes) -> list[Field]:
    return [(key, value if key == name else old) for key, old in REQUEST]


def behind(*fields: Field) -> list[Field]:
    return [*REQUEST, *fields]


def before(*fields: Field) -> list[Field]:
    return [*fields, *REQUEST]


MALFORMED = {
    # §8.2.1: names and values
    "8.2.1 name in upper case": behind((b"X-Upper", b"v")),
    "8.2.1 name with one upper-case letter": behind((b"x-uppeR", b"v")),
    "8.2.1 empty name": behind((b"", b"v")),
    "8.2.1 name with a space": behind((b"x y", b"v")),
    "8.2.1 name with a colon": behind((b"x:y", b"v")),
    "8.2.1 name with NUL": behind((b"x\0", b"v")),
    "8.2.1 name with CR": behind((b"x\r", b"v")),
    "8.2.1 name with LF": behind((b"x\n", b"v")),
    "8.2.1 name with DEL": behind((b"x\x7f", b"v")),
    "8.2.1 name beyond ASCII": behind((b"x\xe9", b"v")),
    "8.2.1 value with NUL": behind((b"x", b"a\0b")),
    "8.2.1 value with CR": behind((b"x", b"a\rb")),
    "8.2.1 value with LF": behind((b"x", b"a\nb")),
    "8.2.1 value with CR LF and a field": behind((b"x", b"a\r\ngrpc-status: 0")),
    "8.2.1 value that begins with a space": behind((b"x", b" a")),
    "8.2.1 value that ends with a space": behind((b"x", b"a ")),
    "8.2.1 value that begins with a tab": behind((b"x", b"\ta")),
    "8.2.1 value that ends with a tab": behind((b"x", b"a\t")),
    "8.2.1 NUL in :path": replaced(b":path", b"/test.Echo/Unary\0"),
    "8.2.1 LF in :authority": replaced(b":authority", b"local\nhost"),
    # §8.2.2: fields of HTTP/1.1 connections
    "8.2.2 connection": behind((b"connection", b"close")),
    "8.2.2 keep-alive": behind((b"keep-alive", b"timeout=5")),
    "8.2.2 proxy-connection": behind((b"proxy-connection", b"keep-alive")),
    "8.2.2 transfer-encoding": behind((b"transfer-encoding", b"chunked")),
    "8.2.2 upgrade": behind((b"upgrade", b"websocket")),
    "8.2.2 te other than trailers": replaced(b"te", b"gzip"),
    "8.2.2 te with more than trailers": replaced(b"te", b"trailers, deflate;q=0.5"),
    # §8.3: pseudo-header fields
    "8.3 unknown pseudo-header field": before((b":unknown", b"v")),
    "8.3 pseudo-header field of answers": before((b":status", b"200")),
    "8.3 pseudo-header field behind a regular one": behind((b":authority", b"a")),
    "8.3 :path behind regular fields": [*without(b":path"), (b":path", b"/test.Echo/Unary")],
    "8.3 :method twice": before((b":method", b"POST")),
    "8.3 :scheme twice": before((b":scheme", b"http")),
    "8.3 :path twice": before((b":path", b"/")),
    "8.3 :authority twice": before((b":authority", b"localhost")),
    "8.3 pseudo-header name alone": before((b":", b"v")),
    "8.3.1 no :method": without(b":method"),
    "8.3.1 no :scheme": without(b":scheme"),
    "8.3.1 no :path": without(b":path"),
    "8.3.1 empty :path": replaced(b":path", b""),
    "8.3.1 empty :method": replaced(b":method", b""),
    "8.3.1 :path without a slash": replaced(b":path", b"test.Echo/Unary"),
    "8.3.1 asterisk in :path of a POST": replaced(b":path", b"*"),
    "8.3.1 only regular fields": [(b"te", b"trailers")],
    "8.5 CONNECT with :path": replaced(b":method", b"CONNECT"),
    # nothing at all
    "8.3.1 no field": [],
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_request(peer: Peer, fields: list[Field]) -> None:
    """§8.1.1: a stream error PROTOCOL_ERROR; the next call on the connection is served."""
    peer.send(headers(1, fields), data(1, message(b"x")))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)
    assert await peer.is_served(3)


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_request_that_ends_with_its_headers(peer: Peer, fields: list[Field]) -> None:
    """The same without a body."""
    peer.send(headers(1, fields, END_HEADERS | END_STREAM))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)
    assert await peer.is_served(3)


MALFORMED_TRAILERS = {
    "8.1 pseudo-header field in trailers": [(b":path", b"/")],
    "8.1 :method in trailers": [(b":method", b"POST")],
    "8.2.1 upper case in trailers": [(b"X", b"v")],
    "8.2.1 LF in trailers": [(b"x", b"a\nb")],
    "8.2.2 connection in trailers": [(b"connection", b"close")],
}


@pytest.mark.parametrize("fields", MALFORMED_TRAILERS.values(), ids=MALFORMED_TRAILERS)
async def test_malformed_trailers(peer: Peer, fields: list[Field]) -> None:
    peer.send(headers(1), data(1, message(b"x"), 0), headers(1, fields, END_HEADERS | END_STREAM))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)
    assert await peer.is_served(3)


LENGTHS = {
    "more than stated": (b"10", message(b"123456")),
    "less than stated": (b"12", message(b"123456")),
    "nothing at all": (b"1", b""),
    "over several frames": (b"12", message(b"123456") + b"123"),
    "not a number": (b"x", message(b"123456")),
    "negative": (b"-1", message(b"123456")),
    "with a plus sign": (b"+11", message(b"123456")),
    "with a list": (b"11, 11", message(b"123456")),
}


@pytest.mark.parametrize(("stated", "body"), LENGTHS.values(), ids=LENGTHS)
async def test_content_length_that_is_not_the_bodys(peer: Peer, stated: bytes, body: bytes) -> None:
    """§8.1.1: malformed."""
    peer.send(headers(1, request("Collect", content_length=stated)))
    peer.send(*[data(1, body[start : start + 5], 0) for start in range(0, len(body), 5)], data(1, b""))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)
    assert await peer.is_served(3)


@pytest.mark.parametrize("pieces", [[b"test"], [b"te", b"st"]], ids=["one frame", "two frames"])
async def test_content_length_of_a_request_that_is_not_grpc(peer: Peer, pieces: list[bytes]) -> None:
    fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b"content-length", b"1")]
    peer.send(headers(1, fields), *[data(1, piece, 0) for piece in pieces[:-1]], data(1, pieces[-1]))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)


async def test_content_length_of_a_request_without_a_body(peer: Peer) -> None:
    """§8.1.1: END_STREAM with the headers, and a length that is not 0."""
    peer.send(headers(1, request(content_length=b"5"), END_HEADERS | END_STREAM))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)


async def test_two_content_lengths_that_differ(peer: Peer) -> None:
    """Request smuggling's favourite."""
    peer.send(headers(1, [*request(content_length=b"11"), (b"content-length", b"12")]), data(1, message(b"123456")))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)


async def test_content_length_that_is_right(peer: Peer) -> None:
    peer.send(headers(1, request(content_length=b"11")), data(1, message(b"123456")))
    assert (await peer.answer(1)).messages == [b"123456"]


async def test_host_that_differs_from_authority(peer: Peer) -> None:
    """§8.3.1: two names for one origin."""
    peer.send(headers(1, request(host=b"elsewhere")), data(1, message(b"x")))
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)


LEGAL = {
    "8.3.1 no :authority": without(b":authority"),
    "8.3.1 host instead of :authority": [*without(b":authority"), (b"host", b"localhost")],
    "8.3 pseudo-header fields in another order": sorted(REQUEST),
    "8.3.1 a scheme that nobody defined": replaced(b":scheme", b"other"),
    "8.2.1 every character of a token": behind((b"!#$%&'*+-.^_`|~09az", b"v")),
    "8.2.1 value with tabs and spaces inside": behind((b"x", b"a \t b")),
    "8.2.1 value beyond ASCII": behind((b"x", b"caf\xc3\xa9 \xff")),
    "8.2.1 empty value": behind((b"x", b"")),
    "8.2.3 cookie crumbs": behind((b"cookie", b"a=1"), (b"cookie", b"b=2")),
    "8.2 a name twice": behind((b"x", b"1"), (b"x", b"2")),
    "6.2 a hundred fields": behind(*[(b"x-%d" % number, b"v") for number in range(90)]),
}


@pytest.mark.parametrize("fields", LEGAL.values(), ids=LEGAL)
async def test_legal_request(peer: Peer, fields: list[Field]) -> None:
    peer.send(headers(1, fields), data(1, message(b"again")))
    assert (await peer.answer(1)).messages == [b"again"]


async def test_fields_in_every_representation(peer: Peer) -> None:
    """RFC 7541 §6: a request whose fields are indexed, incremental, without indexing and never indexed."""
    block = b"\x83\x86\x44\x10/test.Echo/Unary\x1f\x10\x10application/grpc\x40\x02te\x08trailers\x00\x01x\x01y"
    peer.send(headers(1, block=block), data(1, message(b"again")))
    assert (await peer.answer(1)).messages == [b"again"]
    peer.send(headers(3, block=b"\x83\x86\xbf\x1f\x10\x10application/grpc\xbe"), data(3, message(b"two")))
    assert (await peer.answer(3)).messages == [b"two"]


HTTP = {
    "415 for another content-type": (replaced(b"content-type", b"text/plain"), b"415"),
    "415 for application/grpcx": (replaced(b"content-type", b"application/grpcx"), b"415"),
    "415 without a content-type": (without(b"content-type"), b"415"),
    "200 for GET /": ([(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")], b"200"),
}


@pytest.mark.parametrize(("fields", "status"), HTTP.values(), ids=HTTP)
async def test_requests_that_are_not_grpc_get_an_http_answer(peer: Peer, fields: list[Field], status: bytes) -> None:
    peer.send(headers(1, fields, END_HEADERS | END_STREAM))
    answer = await peer.answer(1)
    assert answer.status == status
    assert bool(answer.body) == (fields[0] == (b":method", b"GET"))
    assert await peer.is_served(3)


@pytest.mark.parametrize("kind", [b"application/grpc", b"application/grpc+proto", b"application/grpc;charset=utf-8"])
async def test_content_types_of_grpc(peer: Peer, kind: bytes) -> None:
    peer.send(headers(1, replaced(b"content-type", kind)), data(1, message(b"again")))
    assert (await peer.answer(1)).messages == [b"again"]


async def test_answers_are_well_formed(peer: Peer) -> None:
    """§8.2, §8.3.2: lower-case names, one :status in front, none in the trailers."""
    peer.send(headers(1), data(1, message(b"x")))
    answer = await peer.answer(1)
    head, trailers = answer.headers
    assert head[0] == (b":status", b"200")
    assert (b"content-type", b"application/grpc") in head
    assert not [name for name, _ in head[1:] + trailers if name.startswith(b":") or name != name.lower()]


async def test_a_list_over_its_limit_is_refused_alone(peer: Peer) -> None:
    """§10.5.1: what the server announced is what it takes, and the header table stays in step."""
    await peer.verdict()
    many = [(b"x", b"a" * 4000)] * (peer.server_settings[6] // 4000 + 1)
    block = b"\x40\x01a\x01b" + literal(REQUEST + many)
    peer.send(headers(1, block=block[:16_384], flags=0), frame(CONTINUATION, END_HEADERS, 1, block[16_384:]))
    peer.send(headers(3, block=literal(REQUEST) + b"\xbe"), data(3, message(b"again")))
    assert (await peer.answer(3)).messages == [b"again"]
    first = next(seen for seen in peer.seen if seen.stream_id == 1)
    assert first.kind == RST_STREAM or b"431" in first.payload
