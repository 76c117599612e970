"""Streams that end only when their client goes: a stopping server ends them itself.

Otherwise one silent client would hold up every graceful stop. Calls that end by themselves are left to finish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import UnavailableError

if TYPE_CHECKING:
    from laura_fast.transport.marks import End


class EndlessStreams:
    """The running endless streams of one server. As many as the transport lets in; each costs one set entry."""

    def __init__(self) -> None:
        self._ends: set[End] = set()
        self._ending = False

    def add(self, end: End) -> None:
        """A stream began that `end` ends.

        Raises:
            UnavailableError: The server is stopping.
        """
        if self._ending:
            raise _stopping()
        self._ends.add(end)

    def discard(self, end: End) -> None:
        """The stream is over."""
        self._ends.discard(end)

    def end_all(self) -> None:
        """Ends each with UNAVAILABLE, so that its client looks for another server. Later ones end at once."""
        self._ending = True
        for end in tuple(self._ends):
            end(_stopping())


def _stopping() -> UnavailableError:
    return UnavailableError("the server is stopping", "SHUTTING_DOWN", retry_after_ms=1_000)
