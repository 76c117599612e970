"""How the database behaves: what an operator may tune."""

from __future__ import annotations

from dataclasses import dataclass

from laura_fast.limits.database import QUERY_MEMORY_BYTES
from laura_fast.limits.rpc import MAX_MESSAGE_BYTES
from laura_fast.limits.units import MIB


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """What requests may use.

    Attributes:
        max_examined: Documents that one request may look at; 0 = no bound.
        query_memory_bytes: What sorting or grouping of one request may hold at once.
        max_answer_bytes: What the results of one pipeline may have together; they must fit one message.
    """

    max_examined: int = 0
    query_memory_bytes: int = QUERY_MEMORY_BYTES
    max_answer_bytes: int = MAX_MESSAGE_BYTES - MIB
