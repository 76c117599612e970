"""Token buckets: how often a peer may do what costs us more than it costs the peer."""

from __future__ import annotations


class Bucket:
    """Allows `burst` events at once and `rate` events a second on average. Time is an argument."""

    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = self._tokens = burst
        self._rate = rate
        self._filled_at = 0.0

    def take(self, now: float, count: int = 1, *, earned: float = 0.0) -> bool:
        """Spends `count` tokens at `now` (seconds); False when there are none. `earned` ones are credited first."""
        gained = (now - self._filled_at) * self._rate + earned
        self._tokens = min(self._burst, self._tokens + gained) - count
        self._filled_at = now
        return self._tokens >= 0.0
