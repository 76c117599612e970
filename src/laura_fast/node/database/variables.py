"""Variables of expressions that the system gives, the same ones for all of a command."""

from __future__ import annotations

from typing import Any

from bson.datetime_ms import DatetimeMS


def variables(now_ms: int) -> dict[str, Any]:
    """What `$$NOW` is, by name without `$$`: one time for a whole command (MongoDB manual, "System Variables").

    Args:
        now_ms: When the command began, in milliseconds since 1970.
    """
    return {"NOW": DatetimeMS(now_ms)}
