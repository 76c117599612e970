"""The machine's own figures, as a node reports them with its beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from laura_fast.errors import ConfigError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    """CPU and memory of this machine, and the disk that holds `data_dir`.

    Raises:
        ConfigError: There is no such directory.
    """

    def __init__(self, data_dir: Path) -> None:
        if not data_dir.is_dir():
            raise ConfigError(f"--data-dir {data_dir}: no such directory; it names the disk whose use is reported")
        self._data_dir = data_dir
        psutil.cpu_percent()  # the first reading has nothing to compare with, and answers 0

    def resources(self) -> pb.ResourceStats:
        """CPU since the last reading; memory that programs could not have at once; the disk. Reads /proc: microseconds.

        The disk's figures are 0 where it has become unreadable.
        """
        memory = psutil.virtual_memory()
        used, total = self._disk()
        return pb.ResourceStats(
            cpu_percent=psutil.cpu_percent(),
            memory_bytes=memory.total - memory.available,
            disk_bytes_used=used,
            disk_bytes_total=total,
        )

    def _disk(self) -> tuple[int, int]:
        try:
            disk = psutil.disk_usage(str(self._data_dir))
        except OSError:  # unmounted while we run: the node is alive, and must go on saying so
            return 0, 0
        return disk.used, disk.total
