"""Rows of the record: one operation, one number of clients, every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.streams.__main__ import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    Found = dict[str, Any]


def table(found: Sequence[Found], names: Sequence[str], seed: int) -> tuple[list[str], list[list[str]]]:
    """Medians over the rounds, and how many times the first subject's rate is that of each other, with its interval."""
    columns = ["documents", "clients", "operation", *(f"{name}, per s (p99 ms)" for name in names)]
    columns += [f"{names[0]} over {name}" for name in names[1:]]
    keys = dict.fromkeys((each["documents"], each["clients"], each["operation"]) for each in found)
    return columns, [_row(found, key, names, seed) for key in keys]


def _row(found: Sequence[Found], key: tuple[int, int, str], names: Sequence[str], seed: int) -> list[str]:
    documents, clients, operation = key
    rates: dict[str, np.ndarray[Any, Any]] = {}
    cells = [f"{documents:,}", str(clients), operation]
    for name in names:
        rounds = [each for each in found if (each["documents"], each["clients"], each["operation"]) == key]
        mine = [each for each in rounds if each["subject"] == name]
        rates[name] = np.array([each["per_s"] * each["documents_per_call"] for each in mine])
        cells.append(f"{np.median(rates[name]):,.0f} ({np.median([each['p99_us'] for each in mine]) / 1000:.1f})")
    return cells + [_ratio(rates[names[0]] / rates[name], seed) for name in names[1:]]


def _ratio(ratios: np.ndarray[Any, Any], seed: int) -> str:
    if len(ratios) == 1:
        return f"× {ratios[0]:.2f}"
    low, high = interval(ratios, seed)
    return f"× {np.median(ratios):.2f} ({low:.2f} … {high:.2f})"
