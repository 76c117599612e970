"""Clients that know HTTP/2 but not gRPC: curl and nghttp, told to speak HTTP/2 at once."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import missing_tools
from laura_fast.pb.grpc.testing import messages_pb2
from laura_fast.wire.grpc.framing import frame_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.interop.targets import Target

pytestmark = pytest.mark.skipif(bool(missing_tools("curl", "nghttp")), reason=missing_tools("curl", "nghttp"))

TIMEOUT_S = 20
SERVICE = "/grpc.testing.TestService"
REQUEST_BYTES, ANSWER_BYTES = 271_828, 314_159
PAGE = b"This is a gRPC server. Talk to it with a gRPC client.\n"
GRPC = ("content-type: application/grpc", "te: trailers")
LARGE = messages_pb2.SimpleRequest(response_size=ANSWER_BYTES, payload=messages_pb2.Payload(body=bytes(REQUEST_BYTES)))
LARGE_ANSWER = messages_pb2.SimpleResponse(payload=messages_pb2.Payload(body=bytes(ANSWER_BYTES)))


@dataclass(frozen=True)
class Answer:
    """What a tool was answered; `status` is 0 if the stream was reset instead."""

    status: int
    body: bytes = b""
    fields: str = ""


def curl(target: Target, directory: Path, path: str, body: bytes | None, fields: tuple[str, ...]) -> Answer:
    """POSTs the body, or GETs without one; the trailers are behind the header fields."""
    head, content = directory / "head", directory / "content"
    command = ["curl", "-sS", "-D", str(head), "-o", str(content), "-w", "%{exitcode} %{http_code}"]
    command += ["--cacert", str(target.ca), "--http2"] if target.ca else ["--http2-prior-knowledge"]
    command += [part for field in fields for part in ("-H", field)]
    if body is not None:
        (directory / "request").write_bytes(body)
        command += ["--data-binary", f"@{directory / 'request'}"]
    code, status = _run([*command, target.url + path]).stdout.split()
    if code != b"0":
        assert code == b"92", "a stream that was reset"
        return Answer(0)
    return Answer(int(status), content.read_bytes() if content.exists() else b"", head.read_text())


def nghttp(target: Target, directory: Path, path: str, body: bytes | None, fields: tuple[str, ...]) -> Answer:
    """The same through windows of 16 KiB. Bodies and the log of frames share the output, so the log runs alone."""
    command = ["nghttp", "--window-bits=14", *(part for field in fields for part in ("-H", field))]
    if body is not None:
        (directory / "request").write_bytes(body)
        command += ["-H", ":method: POST", "-d", str(directory / "request")]
    log = _run([*command, "-nv", target.url + path]).stdout.decode()
    received = re.findall(r"recv \(stream_id=13\) (.*)", log)
    if not received:
        assert "recv RST_STREAM" in log
        return Answer(0)
    assert "END_STREAM" in log.rpartition(" recv ")[2], "the last frame ends the stream"
    return Answer(
        int(received[0].removeprefix(":status: ")), _run([*command, target.url + path]).stdout, "\n".join(received)
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S)


TOOLS = pytest.mark.parametrize("ask", [curl, nghttp])


@TOOLS
def test_a_browser_s_request_gets_a_page(target: Target, tmp_path: Path, ask: Callable[..., Answer]) -> None:
    """C-core resets the stream of whatever is not gRPC."""
    answer = ask(target, tmp_path, "/", None, ())
    assert (answer.status, answer.body) == ((200, PAGE) if target.transport == "native" else (0, b""))


@TOOLS
@pytest.mark.parametrize("kind", ["application/json", "application/grpc-web", "application/grpcx"])
def test_other_content_types_are_refused(target: Target, tmp_path: Path, ask: Callable[..., Answer], kind: str) -> None:
    """The specification: 415 for what does not begin with application/grpc."""
    answer = ask(target, tmp_path, f"{SERVICE}/EmptyCall", b"{}", (f"content-type: {kind}",))
    assert (answer.status, answer.body) == ((415, b"") if target.transport == "native" else (0, b""))


@TOOLS
@pytest.mark.parametrize(
    "exchange",
    [("EmptyCall", b"", b""), ("UnaryCall", LARGE.SerializeToString(), LARGE_ANSWER.SerializeToString())],
    ids=["empty", "large"],
)
def test_a_posted_message_is_answered(
    target: Target, tmp_path: Path, ask: Callable[..., Answer], exchange: tuple[str, bytes, bytes]
) -> None:
    method, message, wanted = exchange
    answer = ask(target, tmp_path, f"{SERVICE}/{method}", frame_message(message), GRPC)
    assert (answer.status, answer.body) == (200, frame_message(wanted))
    assert re.search(r"^grpc-status: 0\r?$", answer.fields, re.MULTILINE)
