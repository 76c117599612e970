"""An update's results as an idempotent document for the oplog, and how that is replayed.

`{"$unset": {path: true, …}, "$set": {path: value, …}}`, applied in this order. A field that the update created is in
both, so that it comes last again wherever it was: replaying any suffix of a log over a later state ends in that state,
the order of fields included. Values are results and never operands, and each stands at the highest path that was
created, so nothing is created on the way to it. If a replay over a later state finds no way there, a later entry has
replaced what was there, and will again: it is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson

from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.updates.paths import element_index
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from laura_fast.domain.documents.updates.tree import Change

    Delta = dict[str, dict[str, Any]]


def make_delta(changes: Iterable[Change], document_bytes: int) -> Delta | None:
    """The delta of these changes; None where logging the whole document of `document_bytes` is no longer."""
    unset: dict[str, Any] = {}
    assigned: dict[str, Any] = {}
    for change in changes:
        path = change.node.path
        if change.of_field and (change.old is MISSING or change.new is MISSING):
            unset[path] = True
        if change.new is not MISSING:
            assigned.update(_assignments(path, change))
    delta = {name: paths for name, paths in (("$unset", unset), ("$set", assigned)) if paths}
    return delta if len(bson.encode(delta)) < document_bytes else None


def _assignments(path: str, change: Change) -> Iterable[tuple[str, Any]]:
    if change.node.appends and isinstance(change.old, list):
        return ((f"{path}.{at}", change.new[at]) for at in range(len(change.old), len(change.new)))
    return ((path, change.new),)


def apply_delta(document: Mapping[str, Any], delta: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The document after a delta of `make_delta`; the one given is not changed. Never raises, see the module."""
    replay = _Replay(document)
    for path in delta.get("$unset", ()):
        replay.unset(path.split("."))
    for path, value in delta.get("$set", {}).items():
        replay.set(path.split("."), value)
    return replay.document


class _Replay:
    """A document that is changed in containers of its own; what it shares with the given one stays as it is."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        self._own: dict[int, Any] = {}

    def unset(self, parts: Sequence[str]) -> None:
        holder = self._holder(parts[:-1])
        if isinstance(holder, dict):
            holder.pop(parts[-1], None)

    def set(self, parts: Sequence[str], value: Any) -> None:
        holder = self._holder(parts[:-1])
        if isinstance(holder, dict):
            holder[parts[-1]] = value
        elif isinstance(holder, list):
            _put(holder, element_index(parts[-1]), value)

    def _holder(self, parts: Sequence[str]) -> Any:
        """The document or array at a path, made our own; None where there is none."""
        holder: Any = self.document
        for part in parts:
            place = element_index(part) if isinstance(holder, list) else part
            inner = _at(holder, place)
            if not isinstance(inner, dict | list):
                return None
            if id(inner) not in self._own:
                inner = inner.copy()
                holder[place] = self._own[id(inner)] = inner
            holder = inner
        return holder


def _at(holder: Any, place: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(place)
    return holder[place] if place is not None and place < len(holder) else None


def _put(array: list[Any], index: int | None, value: Any) -> None:
    if index is None or index - len(array) > limits.MAX_ARRAY_PADDING:
        return
    array.extend([None] * (index + 1 - len(array)))
    array[index] = value
