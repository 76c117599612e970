"""Requests that don't parse: the same refusal on every transport, whoever does the parsing."""

from __future__ import annotations

from laura_fast.errors import InvalidArgumentError


def malformed(error: Exception) -> InvalidArgumentError:
    """The refusal of a request whose bytes its parser did not take: the peer's fault, whatever the parser raised."""
    return InvalidArgumentError(f"the request does not parse: {error}", "MALFORMED_REQUEST")
