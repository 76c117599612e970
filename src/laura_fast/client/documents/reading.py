"""Which member of a replica set may answer a read, and what the read may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from laura_fast.errors import ConfigError
from laura_fast.pb.laura.fast.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST_STALENESS_S: Final = 90
"""What servers refuse to go below (MongoDB manual, "maxStalenessSeconds")."""


class Mode(Enum):
    """Read preference modes (MongoDB manual, "Read Preference")."""

    PRIMARY = "primary"
    PRIMARY_PREFERRED = "primaryPreferred"
    SECONDARY = "secondary"
    SECONDARY_PREFERRED = "secondaryPreferred"
    NEAREST = "nearest"


class Concern(Enum):
    """What a read may see."""

    LOCAL = "local"
    """What the member has, even if a rollback takes it back later."""
    MAJORITY = "majority"
    """What no rollback takes back."""
    LINEARIZABLE = "linearizable"
    """The same, and nothing acknowledged before the read began is missing. From the primary only."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a client reads.

    Attributes:
        mode: Which members may answer.
        tag_sets: In order: the first that some member has all tags of decides; none: any member.
        max_staleness_s: How far a secondary may be behind; 0 = no bound.
        window_s: Members whose round trip is at most so much longer than the shortest share the reads.
        concern: What a read may see.
        causal: A read sees what this client has read and written before, whichever member answers.

    Raises:
        ConfigError: They contradict each other.
    """

    mode: Mode = Mode.PRIMARY
    tag_sets: tuple[Mapping[str, str], ...] = ()
    max_staleness_s: int = 0
    window_s: float = 0.015
    concern: Concern = Concern.LOCAL
    causal: bool = True

    def __post_init__(self) -> None:
        if self.max_staleness_s and self.max_staleness_s < SHORTEST_STALENESS_S:
            raise ConfigError(f"max staleness {self.max_staleness_s} s: must be 0 or at least {SHORTEST_STALENESS_S} s")
        if self.mode is Mode.PRIMARY and (any(self.tag_sets) or self.max_staleness_s):
            raise ConfigError("read preference primary takes neither tags nor a staleness: the primary has everything")
        if self.concern is Concern.LINEARIZABLE and self.mode is not Mode.PRIMARY:
            raise ConfigError(f"a linearizable read is the primary's to answer, not for {self.mode.value}")
        if self.window_s < 0:
            raise ConfigError(f"latency window {self.window_s} s: must not be negative")

    def preference(self) -> options_pb2.ReadPreference:
        """As a request carries it."""
        return options_pb2.ReadPreference(
            mode=options_pb2.ReadPreference.Mode.Value(self.mode.name),
            tag_sets=[options_pb2.ReadPreference.TagSet(tags=tags) for tags in self.tag_sets],
            max_staleness_s=self.max_staleness_s,
        )

    def read_concern(self) -> options_pb2.ReadConcern.ValueType:
        """As a request carries it."""
        return options_pb2.ReadConcern.Value(self.concern.name)
