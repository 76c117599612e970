"""The log is kept for a member that copies everything, and not for one that never comes back."""

from __future__ import annotations

import asyncio

from laura_fast.limits.replication import SYNC_PIN_S
from laura_fast.node.replication.pins import Pins
from laura_fast.testing.sim.loop import VirtualLoop


class Kept(dict[str, int]):
    """Pins as the store has them."""

    def pin(self, member: str, op_id: int | None) -> None:
        if op_id is None:
            del self[member]
        else:
            self[member] = op_id


def test_a_silent_member_loses_its_pin_and_one_that_goes_on_does_not() -> None:
    loop, kept = VirtualLoop(), Kept()

    async def run() -> None:
        pins = Pins(kept.pin)
        pins.hold("n2", 5)
        pins.hold("n3", 7)
        pins.move("n1", 9)  # it follows, and asked for no copy
        await asyncio.sleep(SYNC_PIN_S - 1)
        pins.move("n2", 6)
        assert kept == {"n2": 6, "n3": 7}
        await asyncio.sleep(2)
        assert kept == {"n2": 6}
        pins.release("n2")
        pins.release("n2")
        assert kept == {}
        pins.hold("n3", 8)
        pins.release_all()
        assert kept == {}

    loop.run_until_complete(run())
    loop.close()
