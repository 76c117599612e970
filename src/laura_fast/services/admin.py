"""laura.fast.v1.AdminService: what an operator asks of one server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psutil

from laura_fast.errors import Code
from laura_fast.pb.laura.fast.v1 import admin_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.observability.rpc import MethodStats, RpcStats

MS_PER_S: Final = 1000


class AdminService:
    """The cluster as this server sees it, and this server's own figures."""

    def __init__(self, node_id: str, statistics: RpcStats) -> None:
        self._node_id = node_id
        self._statistics = statistics
        self._process = psutil.Process()
        self._started = time.monotonic()

    async def GetNodeStatistics(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        with self._process.oneshot():
            times = self._process.cpu_times()
            resident = self._process.memory_info().rss
        return admin_pb2.GetNodeStatisticsResponse(
            node_id=self._node_id,
            uptime_ms=self._uptime_ms(),
            resident_memory_bytes=resident,
            cpu_seconds=times.user + times.system,
            methods=_called(self._statistics.methods),
        )

    def _uptime_ms(self) -> int:
        return int((time.monotonic() - self._started) * MS_PER_S)


def _called(methods: Iterable[MethodStats]) -> list[admin_pb2.MethodStatistics]:
    return [
        admin_pb2.MethodStatistics(
            method=stats.path,
            started=stats.started,
            handled_by_code={int(code): stats.codes[code] for code in Code if stats.codes[code]},
            handling_seconds=stats.seconds,
        )
        for stats in methods
        if stats.started
    ]
