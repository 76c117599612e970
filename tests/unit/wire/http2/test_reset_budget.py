"""How often streams may be reset: a loop ends the connection, a busy client that cancels some calls goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.constants import END_HEADERS, END_STREAM, HEADERS, PREFACE
from laura_fast.wire.http2.server import ServerConnection

if TYPE_CHECKING:
    from laura_fast.wire.http2.stream import Stream

CANCEL = 8
BLOCK = b"\x83\x86\x84"
NOW = 1.0


class Request:
    """A plain one."""

    content_length: int | None = None
    takes_whole = False


class Host:
    """Answers what is complete, at once."""

    def __init__(self) -> None:
        self.connection = ServerConnection(self, 100, 10.0)
        self.connection.receive(PREFACE + frames.settings({}), NOW)

    def prepare(self, common: Any, own: Any) -> Request:
        return Request()

    def ended(self, stream: Stream) -> None:
        self.connection.send_headers(stream, b"\x88", end_stream=True)

    def _nothing(self, *_: Any) -> None:
        """What the other events mean here."""

    whole = run = opened = received = aborted = _nothing


def headers(stream_id: int, flags: int = END_HEADERS) -> bytes:
    return frames.head(len(BLOCK), HEADERS, flags, stream_id) + BLOCK


def cancelled(stream_id: int) -> bytes:
    return headers(stream_id) + frames.rst_stream(stream_id, CANCEL)


def answered(stream_id: int) -> bytes:
    return headers(stream_id, END_HEADERS | END_STREAM)


def test_a_loop_of_resets_ends_the_connection() -> None:
    connection = Host().connection
    for index in range(limits.RESET_BURST + 1):
        assert not connection.closed
        connection.receive(cancelled(2 * index + 1), NOW)
    assert connection.closed


def test_a_client_that_cancels_every_second_call_goes_on() -> None:
    connection = Host().connection
    for index in range(0, 20 * limits.RESET_BURST, 2):
        connection.receive(answered(2 * index + 1) + cancelled(2 * index + 3), NOW)
    assert not connection.closed


@pytest.mark.parametrize("step", [4, 2000])
def test_ids_that_were_passed_over_earn_nothing(step: int) -> None:
    connection = Host().connection
    for index in range(limits.RESET_BURST + 1):
        connection.receive(cancelled(step * index + 1), NOW)
    assert connection.closed


def test_open_streams_earn_nothing() -> None:
    connection = Host().connection
    connection.receive(b"".join(headers(2 * index + 1) for index in range(99)), NOW)
    for index in range(99, 99 + limits.RESET_BURST + 1):
        connection.receive(cancelled(2 * index + 1), NOW)
    assert connection.closed
