"""Raw files: what each kind of measurement leaves behind, and nothing derived from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from laura_fast.errors import LauraError
from laura_fast.report.raw.load import LoadRun
from laura_fast.report.raw.micro import MicroRun
from laura_fast.report.raw.record import Record
from laura_fast.report.raw.rivals import FORMAT_VERSION, Session
from laura_fast.report.raw.scaling import ScalingSession

if TYPE_CHECKING:
    from pathlib import Path

Run = Session | ScalingSession | LoadRun | MicroRun | Record


class RawFileError(LauraError):
    """A file that is not the raw output of any measurement known here."""


def read(path: Path) -> list[Run]:
    """All runs of a file: one of them as its tool wrote it, or the collection in a results folder.

    Raises:
        RawFileError: The file can't be read, is of no known kind, or of another format version.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise RawFileError(f"{path}: {error}") from error
    documents = document["runs"] if isinstance(document, dict) and "runs" in document else [document]
    try:
        return [_run(one) for one in documents]
    except (msgspec.ValidationError, ValueError) as error:
        raise RawFileError(f"{path}: {error}") from error


def collect(runs: list[Run]) -> bytes:
    """The content of a results folder's `raw.json`."""
    return orjson.dumps({"runs": msgspec.to_builtins(runs)}, option=orjson.OPT_APPEND_NEWLINE)


def _run(document: dict[str, Any]) -> Run:
    """Each kind says what it is in its own way: by its tag, or by fields that only its tool writes."""
    if "kind" in document:
        return msgspec.convert(document, ScalingSession | LoadRun | MicroRun | Record)
    if "machine_info" in document:
        return msgspec.convert({"kind": "micro", **document}, MicroRun)
    if "samples" in document:
        if document.get("format_version") != FORMAT_VERSION:
            raise ValueError(f"format {document.get('format_version')}; this reader knows {FORMAT_VERSION}")
        return msgspec.convert(document, Session)
    raise ValueError("neither rivals, scaling, load scenario, record nor pytest-benchmark")
