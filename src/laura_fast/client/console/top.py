"""`top`: the cluster live, worst members first."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from laura_fast.client.console.keyboard import keys
from laura_fast.client.console.status import Look, print_table
from laura_fast.client.console.table import heading, members_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.console.view import ClusterView, MemberView

_REDRAW_S: Final = 0.5
"""Ages grow on the screen between two answers."""
_LINES_AROUND: Final = 6
"""Heading, column titles, the line of errors and the line of keys; a replica set has one more."""


@dataclass(slots=True)
class Screen:
    """What the keys have chosen."""

    by_trouble: bool = True
    first_row: int = 0
    rows: int = 1
    ended: bool = False

    def press(self, key: str) -> None:
        """Acts on one key."""
        moves = {
            "up": -1,
            "down": 1,
            "page-up": -self.rows,
            "page-down": self.rows,
            "home": -self.first_row,
            "end": 1 << 30,
        }
        self.first_row += moves.get(key, 0)
        self.by_trouble ^= key == "sort"
        self.ended |= key == "quit"

    def chosen(self, view: ClusterView) -> Sequence[MemberView]:
        """The rows that fit, after the last scroll was brought back to the list."""
        self.first_row = max(0, min(self.first_row, len(view.members) - self.rows))
        ordered = view.worst_first() if self.by_trouble else view.members
        return ordered[self.first_row : self.first_row + self.rows]


async def show_top(client: ClusterClient, console: Console, *, every_s: float, timeout_s: float, keyboard: int) -> None:
    """Shows the cluster until ``q``; the terminal is as it was afterwards.

    Raises:
        ClientError: The first look failed.
    """
    look, screen, wake = Look(client), Screen(), asyncio.Event()
    await look.refresh(timeout_s)

    def pressed(key: str) -> None:
        screen.press(key)
        wake.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, pressed, "quit")  # a killed program must not leave the terminal raw
    refreshing = asyncio.create_task(_keep_fresh(look, every_s, timeout_s, wake))
    try:
        with keys(keyboard, pressed), Live(console=console, screen=True, auto_refresh=False) as live:
            while not screen.ended:
                live.update(render(look, screen, console), refresh=True)
                await _woken(wake)
    finally:
        refreshing.cancel()
        loop.remove_signal_handler(signal.SIGTERM)


async def show_plain(client: ClusterClient, console: Console, *, every_s: float, timeout_s: float) -> None:
    """The same without a terminal: one table after the other."""
    look = Look(client)
    while True:
        await look.refresh(timeout_s)
        print_table(console, look)
        console.print()
        await client.timing.sleep(every_s)


def render(look: Look, screen: Screen, console: Console) -> RenderableType:
    """One picture of the size of the terminal."""
    if look.view is None:
        return Text(look.error, "red")
    screen.rows = max(1, console.height - _LINES_AROUND - (look.view.replica_set is not None))
    shown = screen.chosen(look.view)
    title = heading(look.view, look.age_ms)
    title.no_wrap, title.overflow = True, "ellipsis"
    return Group(
        title,
        Text(look.error, "bold red", no_wrap=True, overflow="ellipsis"),
        members_table(shown, console.width, look.age_ms),
        Text("\n" * (screen.rows - len(shown)), end=""),
        _keys_line(screen, len(shown), len(look.view.members)),
    )


def _keys_line(screen: Screen, shown: int, total: int) -> Text:
    order = "id" if screen.by_trouble else "trouble"
    text = Text.assemble(("q", "bold"), (" quit  ", "dim"), ("s", "bold"), (f" sort by {order}", "dim"), end="")
    if shown < total:
        text.append("  ↑↓", "bold").append(f" {screen.first_row + 1}-{screen.first_row + shown} of {total}", "dim")
    return text


async def _keep_fresh(look: Look, every_s: float, timeout_s: float, wake: asyncio.Event) -> None:
    while True:
        await look.client.timing.sleep(every_s)
        await look.refresh(timeout_s)
        wake.set()


async def _woken(wake: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_REDRAW_S):
            await wake.wait()
    except TimeoutError:
        pass
    wake.clear()
