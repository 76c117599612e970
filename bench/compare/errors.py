"""Why there is no verdict.

CompareError
├── BaseUnavailableError   there is nothing to compare with: no parent, a shallow clone, dependencies that can't be had
└── MeasureError           a measured process failed, or a file that it needs is wrong
"""

from __future__ import annotations


class CompareError(Exception):
    """The comparison could not be made."""


class BaseUnavailableError(CompareError):
    """There is nothing to compare with."""


class MeasureError(CompareError):
    """A measured process failed, or a file that the gate needs is wrong."""
