"""Packages of a made-up distribution: the same number always gives the same document."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Final

SECTIONS: Final = tuple(f"section-{number:02d}" for number in range(40))
SIZES: Final = 1_000_003
"""A prime: sizes are spread over all below it without a pattern that an index could profit from."""
_SPREAD: Final = 611_953
MATCHES: Final = 20
"""How many documents a range of sizes holds, about."""
RARE: Final = 997
"""One document of so many is rare: what a scan looks for."""


def package(number: int) -> dict[str, Any]:
    """A document of about 350 bytes."""
    return {
        "_id": number,
        "name": f"package-{number:07d}",
        "section": SECTIONS[number * 7 % len(SECTIONS)],
        "size": size(number),
        "rarity": "rare" if number % RARE == 0 else "common",
        "installed": 0,
        "tags": [f"tag-{number % 17}", f"tag-{number % 23}", f"tag-{number % 29}"],
        "maintainer": {"name": f"Maintainer {number % 1009}", "email": f"m{number % 1009}@example.org"},
        "description": f"The package number {number}, which does what packages of its section do, and nothing else.",
    }


def size(number: int) -> int:
    """Of a package, in KiB."""
    return number * _SPREAD % SIZES


@dataclass(frozen=True)
class Expected:
    """What is in a collection of the first `count` packages, worked out without any database."""

    count: int
    sizes: list[int]
    totals: dict[str, tuple[int, int]]
    """Packages of each section, and the sum of their sizes."""

    @property
    def span(self) -> int:
        """Width of a range of sizes that holds about `MATCHES` packages."""
        return max(1, SIZES * MATCHES // self.count)

    @property
    def rare(self) -> int:
        """How many rare packages there are."""
        return -(-self.count // RARE)

    def between(self, low: int, high: int) -> int:
        """How many packages have low ≤ size < high."""
        return bisect_left(self.sizes, high) - bisect_left(self.sizes, low)


def expected(count: int) -> Expected:
    """Of the first `count` packages."""
    totals = dict.fromkeys(SECTIONS, (0, 0))
    for number in range(count):
        section = SECTIONS[number * 7 % len(SECTIONS)]
        packages, kib = totals[section]
        totals[section] = packages + 1, kib + size(number)
    kept = {section: told for section, told in totals.items() if told[0]}
    return Expected(count, sorted(map(size, range(count))), kept)
