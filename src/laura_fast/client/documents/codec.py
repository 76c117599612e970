"""BSON to Python values and back, so that what was read can be written again without a change of type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
"""Dates beyond year 9999 stay what they are; int64 stays apart from int32; UUIDs stay binary."""


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as BSON.

    Raises:
        InvalidArgumentError: A value that BSON has no type for.
    """
    try:
        return bson.encode(document, codec_options=OPTIONS)
    except (BSONError, OverflowError, UnicodeError, TypeError, ValueError) as error:
        raise InvalidArgumentError(str(error), "MALFORMED_BSON") from error


def decode(document: bytes) -> dict[str, Any]:
    """The values of a BSON document.

    Raises:
        InvalidArgumentError: Not BSON.
    """
    try:
        return bson.decode(document, OPTIONS)
    except (BSONError, ValueError) as error:
        raise InvalidArgumentError(str(error), "MALFORMED_BSON") from error
