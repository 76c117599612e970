"""The router and the client of the documents' own tests."""

from tests.unit.client.documents.conftest import documents, router

__all__ = ["documents", "router"]
