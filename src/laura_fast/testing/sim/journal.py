"""What happened in a run: counted, hashed into its fingerprint, and kept as text where somebody wants to read it."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.testing.sim.loop import VirtualLoop


class ViolationError(Exception):
    """A rule was broken."""


class Journal:
    """Of one run.

    Attributes:
        events: How many events there were: messages that arrived or were lost, syncs, requests, answers, faults.
        counts: Of everything by name.
        fingerprint: Of all events in their order, with their times.
        lines: The events as text, if they are kept.
    """

    def __init__(self, loop: VirtualLoop, *, keep: bool = False) -> None:
        self.events = 0
        self.counts: Counter[str] = Counter()
        self.fingerprint = 0
        self.lines: list[str] | None = [] if keep else None
        self._loop = loop

    def happened(self, what: str, *details: object) -> None:
        """An event."""
        self.events += 1
        self.counts[what] += 1
        line = f"{self._loop.time():.6f} {what} {' '.join(map(str, details))}"
        self.fingerprint = crc32(line.encode(), self.fingerprint)
        if self.lines is not None:
            self.lines.append(f"{self.events} {line}")

    def count(self, what: str) -> None:
        """Something that is no event of its own."""
        self.counts[what] += 1


@contextlib.contextmanager
def failed_tasks(tell: Callable[[BaseException], None]) -> Iterator[None]:
    """Hears of background tasks that ended with an error of ours, which servers only log; nothing else is logged."""
    logger, handler = logging.getLogger("laura_fast"), _Failures(tell)
    level, passes_on = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = passes_on
        logger.setLevel(level)


class _Failures(logging.Handler):
    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        super().__init__(logging.CRITICAL)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.msg.get("exc_info") if isinstance(record.msg, dict) else None
        self._tell(error if isinstance(error, BaseException) else ViolationError(record.getMessage()))
