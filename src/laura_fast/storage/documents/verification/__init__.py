"""Proves that everything a document store holds agrees with everything else, in slices, while it is used."""

from laura_fast.storage.documents.verification.run import verify

__all__ = ["verify"]
