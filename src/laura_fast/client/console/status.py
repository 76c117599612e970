"""`status`: one look at the cluster, or one every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from laura_fast.client.console.table import heading, members_table
from laura_fast.client.console.view import ClusterView, view_of
from laura_fast.client.explain import explain
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.console.view import MemberView


MOST_ROWS: Final = 1_000
"""A table of more is slow to lay out (a millisecond a row) and nobody reads it; the worst members are shown then."""


@dataclass(slots=True)
class Look:
    """The latest view of a cluster, kept while its server is away.

    Attributes:
        view: What was last seen; None before the first answer.
        error: Why the last attempt failed, in one line; empty where it did not.
    """

    client: ClusterClient
    view: ClusterView | None = None
    error: str = ""
    _received: float = 0.0

    async def refresh(self, timeout_s: float) -> None:
        """Asks once more.

        Raises:
            ClientError: No answer, and nothing was ever seen.
        """
        try:
            answer = await self.client.status(timeout_s=timeout_s)
        except ClientError as error:
            self.error = explain(error)
            if self.view is None:
                raise
            return
        self.view, self.error = view_of(self.client.address, answer), ""
        self._received = self.client.timing.monotonic()

    @property
    def age_ms(self) -> int:
        """How long ago the view arrived."""
        return round((self.client.timing.monotonic() - self._received) * 1000)


async def show_status(
    client: ClusterClient, console: Console, *, as_json: bool, every_s: float | None, timeout_s: float
) -> None:
    """Prints the cluster once, or for ever `every_s` seconds; a server that goes away later is said so and waited for.

    Raises:
        ClientError: The first look failed.
    """
    look = Look(client)
    while True:
        await look.refresh(timeout_s)
        if every_s and console.is_terminal and not as_json:
            console.clear()
        _print(console, look, as_json=as_json, indented=every_s is None)
        if not every_s:
            return
        await client.timing.sleep(every_s)


def print_table(console: Console, look: Look) -> None:
    """The view as a table, with the error that keeps it from being newer."""
    if look.error:
        console.print(look.error, style="red", soft_wrap=True)
    if look.view:
        console.print(heading(look.view, look.age_ms), soft_wrap=True)
        console.print()
        console.print(members_table(_rows(look.view), console.width))
        hidden = len(look.view.members) - MOST_ROWS
        if hidden > 0:
            console.print(f"… and {hidden} more; -o json has all", style="dim")


def _rows(view: ClusterView) -> Sequence[MemberView]:
    return view.members if len(view.members) <= MOST_ROWS else view.worst_first()[:MOST_ROWS]


def _print(console: Console, look: Look, *, as_json: bool, indented: bool) -> None:
    if not as_json:
        print_table(console, look)
    elif look.view:
        document = {**look.view.as_json(look.age_ms), "error": look.error}
        console.file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 if indented else 0).decode() + "\n")
        console.file.flush()
