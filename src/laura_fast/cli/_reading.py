"""Options of commands that read: which member of a replica set may answer, and what it may show."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from laura_fast.client.documents import Concern, Mode, Reading
from laura_fast.errors import ConfigError

if TYPE_CHECKING:
    from laura_fast.cli._connection import Command


def with_reading(command: Command) -> Command:
    """Adds the options and passes them on as one `reading` argument."""

    @functools.wraps(command)
    def run(
        *, read_preference: str, read_tags: tuple[str, ...], max_staleness: int, read_concern: str, **rest: Any
    ) -> Any:
        try:
            tag_sets = tuple(map(_tags, read_tags))
            reading = Reading(Mode(read_preference), tag_sets, max_staleness, concern=Concern(read_concern))
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        return command(reading=reading, **rest)

    options = (
        click.option(
            "--read-preference",
            type=click.Choice([mode.value for mode in Mode]),
            default=Mode.PRIMARY.value,
            show_default=True,
            help="Which members of a replica set may answer.",
        ),
        click.option(
            "--read-tags", multiple=True, help="region=north,disk=ssd: only such members; repeated: the next best."
        ),
        click.option(
            "--max-staleness", type=click.IntRange(0), default=0, help="Seconds a secondary may be behind; 0 is any."
        ),
        click.option(
            "--read-concern",
            type=click.Choice([concern.value for concern in Concern]),
            default=Concern.LOCAL.value,
            show_default=True,
            help="What the answer may contain.",
        ),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), run)


def _tags(text: str) -> dict[str, str]:
    parts = [part.partition("=") for part in text.split(",")] if text else []
    if not all(name.strip() and equals for name, equals, _ in parts):
        raise ConfigError(f"--read-tags {text!r}: write name=value,other=value")
    return {name.strip(): value.strip() for name, _, value in parts}
