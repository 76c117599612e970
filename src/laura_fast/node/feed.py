"""News of the topology: for those who wait for the next version and those who follow them all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import membership as limits
from laura_fast.node.history import TopologyHistory

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
    from laura_fast.node.registry import Registry


class TopologyFeed:
    """Belongs to one event loop. Whoever waits holds a version number, nothing else.

    Attributes:
        watchers: How many follow now.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        max_watchers: int = limits.MAX_WATCHERS,
        max_long_polls: int = limits.MAX_LONG_POLLS,
        history: TopologyHistory | None = None,
    ) -> None:
        self._registry = registry
        self._history = history or TopologyHistory()
        self._max_watchers = max_watchers
        self._max_long_polls = max_long_polls
        self.watchers = 0
        self._long_polls = 0
        self._news = asyncio.Event()
        self._draining = False

    def publish(self, topology: TopologySnapshot, steps: Iterable[TopologyDelta]) -> None:
        """Makes a topology the current one, remembers the steps that led to it, and wakes all who wait."""
        self._registry.publish(topology)
        for step in steps:
            self._history.append(step)
        news, self._news = self._news, asyncio.Event()
        news.set()

    def drain(self) -> None:
        """Ends all waiting, now and later: long polls answer, watchers are told to go elsewhere."""
        self._draining = True
        self._news.set()

    async def wait_newer(self, version: int, timeout_s: float) -> TopologySnapshot | None:
        """The first topology above `version`, or None when the time is over, the server stops, or too many wait."""
        if self._registry.topology.version <= version and self._long_polls < self._max_long_polls:
            self._long_polls += 1
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await self._newer(version)
            finally:
                self._long_polls -= 1
        topology = self._registry.topology
        return topology if topology.version > version else None

    def changes_since(self, version: int) -> list[TopologyDelta] | None:
        """Every step from `version` to now; None if the history does not reach back that far, or never had it."""
        steps: list[TopologyDelta] = []
        while version != self._registry.topology.version:
            step = self._history.step_from(version)
            if step is None:
                return None
            steps.append(step)
            version = step.version
        return steps

    async def watch(self, version: int) -> AsyncGenerator[TopologySnapshot | TopologyDelta]:
        """Follows the topology from a version the caller holds.

        Yields the step from that version if the history has it, else a snapshot; and so on for ever. A caller that is
        slow to take what it is given costs a version number here, no buffer.

        Raises:
            OverloadedError: Too many watch already.
            UnavailableError: The server is stopping.
        """
        if self.watchers >= self._max_watchers:
            raise OverloadedError("too many watchers", "TOO_MANY_WATCHERS", retry_after_ms=10_000)
        self.watchers += 1
        try:
            while True:
                if version == self._registry.topology.version:
                    await self._newer(version)
                self._refuse_when_draining()
                news = self._history.step_from(version) or self._registry.topology
                version = news.version
                yield news
        finally:
            self.watchers -= 1

    def _refuse_when_draining(self) -> None:
        """Raises UnavailableError once the server is stopping."""
        if self._draining:
            raise UnavailableError("the server is stopping", "SHUTTING_DOWN", retry_after_ms=1_000)

    async def _newer(self, version: int) -> None:
        while self._registry.topology.version <= version and not self._draining:
            await self._news.wait()
