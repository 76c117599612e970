"""The latest steps of the topology, for watchers that resume. A watcher itself holds only its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.limits import membership as limits

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologyDelta


class TopologyHistory:
    """Consecutive deltas, newest last, bounded in versions and in members; the oldest are dropped."""

    def __init__(
        self,
        max_versions: int = limits.TOPOLOGY_HISTORY_VERSIONS,
        max_members: int = limits.TOPOLOGY_HISTORY_MEMBERS,
    ) -> None:
        self._max_versions = max_versions
        self._max_members = max_members
        self._deltas: dict[int, TopologyDelta] = {}
        self._members = 0

    def append(self, delta: TopologyDelta) -> None:
        """Adds the newest step."""
        self._deltas[delta.version] = delta
        self._members += delta.size
        while len(self._deltas) > self._max_versions or self._members > self._max_members:
            oldest = self._deltas.pop(next(iter(self._deltas)))
            self._members -= oldest.size

    def step_from(self, version: int) -> TopologyDelta | None:
        """The step that starts at `version`, if it is still held."""
        return self._deltas.get(version + 1)
