"""Documents of a cluster: `DocumentClient` and what its methods take and answer."""

from laura_fast.client.documents.catalog import Catalog
from laura_fast.client.documents.client import DocumentClient
from laura_fast.client.documents.namespaces import Namespace
from laura_fast.client.documents.outcomes import (
    CollectionInfo,
    DeleteOutcome,
    DocumentError,
    IndexBuilt,
    IndexInfo,
    InsertOutcome,
    Page,
    UpdateOutcome,
    Verification,
)
from laura_fast.client.documents.reading import Concern, Mode, Reading
from laura_fast.client.documents.requests import Query

__all__ = [
    "Catalog",
    "CollectionInfo",
    "Concern",
    "DeleteOutcome",
    "DocumentClient",
    "DocumentError",
    "IndexBuilt",
    "IndexInfo",
    "InsertOutcome",
    "Mode",
    "Namespace",
    "Page",
    "Query",
    "Reading",
    "UpdateOutcome",
    "Verification",
]
