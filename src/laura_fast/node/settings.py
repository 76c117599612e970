"""How membership behaves: intervals and sizes an operator may tune."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from laura_fast.errors import ConfigError
from laura_fast.limits import membership as limits

MIN_BEAT_MS: Final = 10
"""Below, the detector's own tick would be a load."""

MAX_SILENCE_MS: Final = 3_600_000
"""A node that is silent for an hour is down by any standard."""

MAX_STRIPES: Final = 4_096


@dataclass(frozen=True, slots=True)
class MembershipSettings:
    """Times of the failure detector and size of the registry.

    Attributes:
        heartbeat_interval_ms: How often nodes beat. Too short loads the server, too long delays detection.
        suspect_after_ms: Silence until SUSPECT. Below two or three beats, one lost packet raises suspicion.
        down_after_ms: Silence until DOWN. Too short takes nodes out during a pause for garbage collection.
        heartbeat_topology: "changed" attaches the topology to a heartbeat's answer when the node lacks it, "always"
            each time, as LauraDB does; that costs the whole topology per beat.
        stripes: Locks of the registry, a power of two. More than the threads that use it gains nothing.
        max_nodes: Members of the cluster.
    """

    heartbeat_interval_ms: int = 1_000
    suspect_after_ms: int = 3_000
    down_after_ms: int = 10_000
    heartbeat_topology: Literal["changed", "always"] = "changed"
    stripes: int = 64
    max_nodes: int = limits.MAX_NODES

    def __post_init__(self) -> None:
        beat, suspect, down = self.heartbeat_interval_ms, self.suspect_after_ms, self.down_after_ms
        _check("heartbeat_interval", beat, f"{MIN_BEAT_MS} ms to below suspect_after", MIN_BEAT_MS <= beat < suspect)
        _check("suspect_after", suspect, "above heartbeat_interval and below down_after", beat < suspect < down)
        _check("down_after", down, f"above suspect_after, up to {MAX_SILENCE_MS} ms", suspect < down <= MAX_SILENCE_MS)
        topologies = ("changed", "always")
        _check(
            "heartbeat_topology", self.heartbeat_topology, "changed or always", self.heartbeat_topology in topologies
        )
        power_of_two = self.stripes & (self.stripes - 1) == 0
        _check(
            "stripes",
            self.stripes,
            f"a power of two, 1 to {MAX_STRIPES}",
            0 < self.stripes <= MAX_STRIPES and power_of_two,
        )
        _check("max_nodes", self.max_nodes, f"1 to {limits.MAX_NODES}", 0 < self.max_nodes <= limits.MAX_NODES)


def _check(key: str, given: object, allowed: str, fine: bool) -> None:
    if not fine:
        raise ConfigError(f"{key} = {given}: allowed is {allowed}")
