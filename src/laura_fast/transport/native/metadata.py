"""Metadata as handlers pass it: any sequence of pairs, or `grpc.aio.Metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.wire.grpc.metadata import encode_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable


def checked(metadata: Iterable[tuple[str, str | bytes]] | None) -> tuple[tuple[str, str | bytes], ...]:
    """The pairs, checked now, so that the handler that passed them gets the exception.

    Raises:
        InvalidMetadataError: A key or value is not allowed.
    """
    pairs = tuple((key, value) for key, value in metadata or ())
    encode_metadata(pairs)
    return pairs
