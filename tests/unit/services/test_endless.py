"""Endless streams end when the server stops, and only then."""

from __future__ import annotations

import pytest

from laura_fast.errors import RpcError, UnavailableError
from laura_fast.services.endless import EndlessStreams


def test_a_running_stream_ends_with_unavailable() -> None:
    streams, errors = EndlessStreams(), list[RpcError]()
    streams.add(errors.append)
    streams.end_all()
    assert [(type(error), error.message) for error in errors] == [(UnavailableError, "the server is stopping")]


def test_a_stream_that_comes_late_is_refused() -> None:
    streams, errors = EndlessStreams(), list[RpcError]()
    streams.end_all()
    with pytest.raises(UnavailableError, match="stopping"):
        streams.add(errors.append)
    assert not errors


def test_a_stream_that_is_over_hears_nothing() -> None:
    streams, errors = EndlessStreams(), list[RpcError]()

    def end(error: RpcError) -> None:
        errors.append(error)

    streams.add(end)
    streams.discard(end)
    streams.end_all()
    assert not errors
