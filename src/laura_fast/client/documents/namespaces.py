"""Where documents live: a database and a collection, written ``database.collection``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from laura_fast.errors import ConfigError

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class Namespace:
    """A collection's full name. The server judges the names themselves."""

    database: str
    collection: str

    @classmethod
    def parse(cls, written: str | Self) -> Self:
        """Reads ``database.collection``; the collection may contain dots, the database may not.

        Raises:
            ConfigError: One of the two is missing.
        """
        if isinstance(written, cls):
            return written
        database, _, collection = str(written).partition(".")
        if not database or not collection:
            raise ConfigError(f"namespace {written!r}: write database.collection")
        return cls(database, collection)

    def __str__(self) -> str:
        return f"{self.database}.{self.collection}"
