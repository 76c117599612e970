"""Dotted paths of updates: what they may be, and which parts may be positions in an array."""

from __future__ import annotations

from laura_fast.domain.documents.paths import is_position
from laura_fast.domain.documents.updates.faults import invalid, unsupported
from laura_fast.limits import documents as limits


def split_path(operator: str, path: str) -> tuple[str, ...]:
    """The parts of a path.

    Raises:
        InvalidArgumentError: UPDATE_INVALID: it is empty, has an empty part or one that begins with $, or is too deep;
            UPDATE_UNSUPPORTED: it has one of the positional operators.
    """
    parts = tuple(path.split("."))
    if not all(parts):
        raise invalid(f"{operator}: the path {path!r} has an empty part")
    if len(parts) > limits.MAX_DOCUMENT_DEPTH:
        raise invalid(f"{operator}: a path of {len(parts)} parts; at most {limits.MAX_DOCUMENT_DEPTH} are allowed")
    for part in parts:
        if part == "$" or part.startswith("$["):
            raise unsupported(f"{operator}: the positional operator {part} in {path!r} is not supported")
        if part.startswith("$") and part not in _REFERENCES:
            raise invalid(f"{operator}: the path {path!r} has a part that begins with $")
    return parts


def element_index(part: str) -> int | None:
    """The position in an array that a part of a path means; None where it is a name."""
    return int(part) if is_position(part) else None


_REFERENCES = frozenset({"$ref", "$id", "$db"})
"""Fields of MongoDB's DBRefs: the only names with a $ that a path may have."""
