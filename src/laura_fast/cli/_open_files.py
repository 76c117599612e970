"""Enough file descriptors for the connections that are configured."""

from __future__ import annotations

import resource

from laura_fast.limits import transport as limits
from laura_fast.observability import log

_log = log.get("laura_fast.serve")


def allow(max_connections: int) -> None:
    """Raises the soft limit of open files as far as this many connections need and the hard limit allows.

    Shells and containers begin with 1,024 for the sake of programs that call select(2), which nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = int((max_connections + limits.OWN_DESCRIPTORS) / limits.DESCRIPTORS_TO_ACCEPT_AGAIN)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        _log.warning("few_open_files", allowed=hard, needed=needed, max_connections=max_connections)
        needed = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
