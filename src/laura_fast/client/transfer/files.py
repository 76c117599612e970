"""Formats by name and by file name, and files that appear only when they are whole."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from laura_fast.client.transfer.bson_files import read_bson
from laura_fast.client.transfer.csv_files import read_csv
from laura_fast.client.transfer.json_files import read_json, read_json_lines
from laura_fast.errors import ClientError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from laura_fast.client.transfer.records import Records

STANDARD: Final = "-"
"""The name that stands for standard input and output."""
FORMATS: Final = ("jsonl", "csv", "bson", "json")
WRITTEN_FORMATS: Final = FORMATS[:3]
"""Those that one document after the other makes up."""
_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".bson": "bson", ".json": "json"}


def format_of(name: str, asked: str | None, known: Sequence[str] = FORMATS) -> str:
    """The format asked for, else the one that the file's name tells; JSON lines for standard input and output.

    Raises:
        ConfigError: The name ends like none of the `known` formats.
    """
    if asked or name == STANDARD:
        return asked or "jsonl"
    told = _SUFFIXES.get(Path(name).suffix.lower())
    if told is None or told not in known:
        raise ConfigError(f"{name}: its name does not tell the format; give --format {'|'.join(known)}")
    return told


def reader(source: BinaryIO, form: str, types: Mapping[str, str]) -> Records:
    """The records of a file of that format. `types` are those of CSV's columns."""
    if form == "csv":
        return read_csv(source, types)
    return {"bson": read_bson, "json": read_json, "jsonl": read_json_lines}[form](source)


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to read; ``-`` is standard input.

    Raises:
        ClientError: It can't be opened.
    """
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; the error of opening is told apart from later ones
    except OSError as error:
        raise ClientError(f"{name}: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def replaced(name: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name, on disk, when the block ends well, and leaves nothing when it does not.

    Raises:
        ClientError: It can't be made, written or put in its place.
    """
    if name == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    draft: str | None = None
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(descriptor, 0o666 & ~_umask())
            os.fsync(descriptor)
        Path(draft).replace(path)
        draft = None
    except OSError as error:
        raise ClientError(f"{name}: {error.strerror}") from error
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)


def _umask() -> int:
    """What the process takes from the modes of its files, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
