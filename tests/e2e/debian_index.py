"""Debian's package index as JSON lines, a document per package.

``apt-cache dumpavail | python -m tests.e2e.debian_index >packages.jsonl``

Sizes become numbers, dependencies and tags lists; every other field stays the text it is (Debian Policy, chapter 5).
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NUMBERS: Final = frozenset({"Installed-Size", "Size"})
LISTS: Final = frozenset({"Breaks", "Conflicts", "Depends", "Provides", "Recommends", "Suggests", "Tag"})
_SEPARATOR: Final = re.compile(r",\s*")


def packages(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each paragraph's fields; a line that begins with a space goes on with the field before it."""
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.rstrip("\n")
        if not text:
            if fields:
                yield _document(fields)
            fields = {}
        elif text[0] in " \t":
            fields[name] += f"\n{text[1:]}"
        else:
            name, _, value = text.partition(":")
            fields[name] = value.strip()
    if fields:
        yield _document(fields)


def _document(fields: dict[str, str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in fields.items()}


def _value(name: str, text: str) -> Any:
    if name in NUMBERS:
        return int(text)
    return _SEPARATOR.split(text) if name in LISTS else text


if __name__ == "__main__":
    for package in packages(sys.stdin):
        sys.stdout.write(f"{json.dumps(package, ensure_ascii=False)}\n")
