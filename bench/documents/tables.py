"""Rows of the record: one operation, one number of clients, every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.streams.__main__ import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    Found = dict[str, Any]


KEY: Final = ("documents", "index", "clients", "operation")
MIB: Final = 1 << 20


def table(found: Sequence[Found], names: Sequence[str], seed: int) -> tuple[list[str], list[list[str]]]:
    """Medians over the rounds, and how many times the first subject's rate is that of each other, with its interval."""
    columns = [*KEY, *(f"{name}, per s (p99 ms)" for name in names)]
    columns += [f"{names[0]} over {name}" for name in names[1:]]
    columns.append(f"{names[0]}, synced commits per s (calls in each)")
    keys = dict.fromkeys(map(_key, found))
    return columns, [_row([each for each in found if _key(each) == key], key, names, seed) for key in keys]


def memory_rows(found: Sequence[Found], names: Sequence[str]) -> list[list[str]]:
    """What was held at most with each size of the collection: own memory, and all that is resident, in MiB."""
    rows = []
    for documents in dict.fromkeys(each["documents"] for each in found):
        cells = [f"{documents:,}", "", "", "memory: own / resident, MiB"]
        for name in names:
            mine = [each for each in found if (each["documents"], each["subject"]) == (documents, name)]
            held = [each["memory"] for each in mine if "memory" in each]
            most = [max(sizes) for sizes in zip(*(each.values() for each in held), strict=True)]
            cells.append(" / ".join(f"{size / MIB:,.0f}" for size in most))
        rows.append(cells + [""] * len(names))
    return rows


def _key(each: Found) -> tuple[Any, ...]:
    return tuple(each[name] for name in KEY)


def _row(rounds: Sequence[Found], key: tuple[Any, ...], names: Sequence[str], seed: int) -> list[str]:
    documents, index, clients, operation = key
    rates: dict[str, np.ndarray[Any, Any]] = {}
    cells = [f"{documents:,}", index, str(clients), operation]
    for name in names:
        mine = [each for each in rounds if each["subject"] == name]
        rates[name] = np.array([each["per_s"] * each["documents_per_call"] for each in mine])
        p99_ms = [each["p99_us"] / 1000 for each in mine]
        cells.append(f"{_rate(np.median(rates[name]))} ({np.median(p99_ms):.1f})" if mine else "")
    cells += [ratio(rates[names[0]] / rates[name], seed) if rates[name].size else "" for name in names[1:]]
    return [*cells, _commits([each for each in rounds if each["subject"] == names[0]])]


def _commits(rounds: Sequence[Found]) -> str:
    told = [(each["commits_per_s"], each["per_s"]) for each in rounds if each["writes"]]
    if not told or not all(commits for commits, _ in told):
        return ""
    commits = np.median([commits for commits, _ in told])
    return f"{_rate(commits)} ({np.median([calls / commits for commits, calls in told]):.1f})"


def _rate(per_s: Any) -> str:
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"


def ratio(ratios: np.ndarray[Any, Any], seed: int) -> str:
    """The median with its interval; of a single one itself."""
    if len(ratios) == 1:
        return f"× {ratios[0]:.2f}"
    low, high = interval(ratios, seed)
    return f"× {np.median(ratios):.2f} ({low:.2f} … {high:.2f})"
