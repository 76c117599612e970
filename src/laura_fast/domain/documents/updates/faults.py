"""The three ways an update is answered with INVALID_ARGUMENT."""

from __future__ import annotations

from laura_fast.errors import InvalidArgumentError


def invalid(message: str) -> InvalidArgumentError:
    """Wrong whatever the document: nothing was looked at."""
    return InvalidArgumentError(message, "UPDATE_INVALID")


def unsupported(message: str) -> InvalidArgumentError:
    """Right in MongoDB, not supported here."""
    return InvalidArgumentError(message, "UPDATE_UNSUPPORTED")


def refused(message: str) -> InvalidArgumentError:
    """Wrong for the document at hand, which stays as it is."""
    return InvalidArgumentError(message, "UPDATE_REFUSED")
