"""Names of databases and collections (MongoDB's manual, "Naming Restrictions")."""

from __future__ import annotations

import re
from typing import Final

from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import storage as limits

INVALID_NAME: Final = "INVALID_NAME"
_BAD_IN_DATABASE: Final = re.compile(r'[/\\. "$*<>:|?\x00]')
_BAD_IN_COLLECTION: Final = re.compile(r"[$\x00]")


def namespace(database: str, collection: str) -> str:
    """`database.collection`.

    Raises:
        InvalidArgumentError: INVALID_NAME. One of them is empty, too long, or has a character that it must not have.
    """
    check_database(database)
    if not collection:
        raise InvalidArgumentError("the collection's name is empty", INVALID_NAME)
    if bad := _BAD_IN_COLLECTION.search(collection):
        raise InvalidArgumentError(
            f"the collection's name {_shown(collection)} has {bad.group()!r} in it", INVALID_NAME
        )
    if collection.startswith("system.") or collection[0] == "." or collection[-1] == ".":
        text = f"the collection's name {_shown(collection)} begins with 'system.' or '.', or ends with '.'"
        raise InvalidArgumentError(text, INVALID_NAME)
    joined = f"{database}.{collection}"
    if len(joined.encode()) > limits.MAX_NAMESPACE_BYTES:
        text = f"database and collection together have more than {limits.MAX_NAMESPACE_BYTES} bytes"
        raise InvalidArgumentError(text, INVALID_NAME)
    return joined


def check_database(database: str) -> None:
    """Raises InvalidArgumentError (INVALID_NAME) unless it is a name for a database."""
    if not database:
        raise InvalidArgumentError("the database's name is empty", INVALID_NAME)
    if bad := _BAD_IN_DATABASE.search(database):
        raise InvalidArgumentError(f"the database's name {_shown(database)} has {bad.group()!r} in it", INVALID_NAME)
    if len(database.encode()) > limits.MAX_DATABASE_NAME_BYTES:
        text = f"the database's name has more than {limits.MAX_DATABASE_NAME_BYTES} bytes"
        raise InvalidArgumentError(text, INVALID_NAME)


def _shown(name: str) -> str:
    return repr(name if len(name) <= limits.MAX_DATABASE_NAME_BYTES else f"{name[: limits.MAX_DATABASE_NAME_BYTES]}…")


def parts(joined: str) -> tuple[str, str]:
    """Database and collection of a namespace."""
    database, _, collection = joined.partition(".")
    return database, collection
