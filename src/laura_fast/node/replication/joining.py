"""A member that comes with an empty directory: is the set new, too, or did this member lose what it had?

Who lost its vote and its log must not vote before it has copied everything again: it may have voted already, and what
it acknowledged may be on too few disks. The set is new when every other member says so: none of them has a log, or
none was ever in an election. A member of a new set that finds others with a log all the same copies it, which is
harmless. Where a member can't be asked, nobody can tell; a primary that is heard of settles it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from laura_fast.node.replication.greeting import is_new

if TYPE_CHECKING:
    from laura_fast.domain.replication.election import Election
    from laura_fast.node.replication.greeting import Greetings
    from laura_fast.node.replication.syncing import Syncing

ROUNDS_PER_TIMEOUT: Final = 5
"""How often the others are asked, within one election timeout: a new set should not wait for it for long."""


class Joining:
    """Asks until it is settled."""

    def __init__(self, machine: Election, greetings: Greetings, syncing: Syncing, timeout_s: float) -> None:
        self._machine = machine
        self._greetings = greetings
        self._syncing = syncing
        self._timeout_s = timeout_s

    async def run(self) -> None:
        """Returns when this member may vote, or copies."""
        while not self._machine.may_vote and not self._machine.primary:
            if self._machine.belongs:
                await self._ask()
            await asyncio.sleep(self._timeout_s / ROUNDS_PER_TIMEOUT)

    async def _ask(self) -> None:
        answers = await self._greetings.ask()
        if is_new(answers) and not self._machine.primary:
            await self._syncing.admit(max((report.term for report in answers if report), default=0))
