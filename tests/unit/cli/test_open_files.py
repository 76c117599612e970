"""`serve` allows itself the files that its connections need."""

from __future__ import annotations

import logging
import resource

import pytest
from click.testing import CliRunner

from laura_fast.cli import _open_files, serve
from laura_fast.observability import log

INFINITY = resource.RLIM_INFINITY
NEEDED = 1_674
"""For 1,000 connections: 1,256 are three quarters of it."""


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        ((1_024, 20_000), (NEEDED, 20_000), False),
        ((1_024, INFINITY), (NEEDED, INFINITY), False),
        ((1_024, 1_500), (1_500, 1_500), True),
        ((1_024, 1_024), (1_024, 1_024), True),
        ((NEEDED, 20_000), (NEEDED, 20_000), False),
        ((20_000, 20_000), (20_000, 20_000), False),
        ((INFINITY, INFINITY), (INFINITY, INFINITY), False),
    ],
)
def test_the_soft_limit_rises_as_far_as_needed_and_allowed(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    before: tuple[int, int],
    after: tuple[int, int],
    warned: bool,
) -> None:
    now = [before]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: now.append(pair))
    caplog.set_level(logging.WARNING, "laura_fast.serve")
    _open_files.allow(1_000)
    assert now[-1] == after
    assert bool(caplog.records) is warned


def test_serve_asks_for_as_many_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it opens any."""

    def allow(max_connections: int) -> None:
        raise InterruptedError(max_connections)

    monkeypatch.setattr(_open_files, "allow", allow)
    monkeypatch.setattr(log, "configure", lambda _: None)
    ended = CliRunner().invoke(serve.command, ["--max-connections", "77"]).exception
    assert isinstance(ended, InterruptedError)
    assert ended.args == (77,)
