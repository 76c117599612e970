"""How many connections may be open, counted before anything is read from them."""

from __future__ import annotations

import resource
from collections import Counter

from laura_fast import limits


class Admission:
    """Counts connections from accept to close, in all and for each address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._by_host: Counter[str] = Counter()
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._highest_descriptor = int(soft * limits.DESCRIPTORS_FOR_CONNECTIONS)

    def enter(self, host: str, descriptor: int) -> bool:
        """Whether one more may come in; the caller says `leave` for it later."""
        if self._total >= self._most or descriptor > self._highest_descriptor:
            return False
        self._total += 1
        self._by_host[host] += 1
        return True

    def leave(self, host: str) -> None:
        """One is gone."""
        self._total -= 1
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
