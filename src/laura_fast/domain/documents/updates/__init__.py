"""Updates with MongoDB's semantics: compiled once, applied per document, logged as results and replayed from them."""

from laura_fast.domain.documents.updates.compiling import compile_update
from laura_fast.domain.documents.updates.delta import apply_delta
from laura_fast.domain.documents.updates.update import Applied, Update
from laura_fast.domain.documents.updates.upserts import upsert_document

__all__ = ["Applied", "Update", "apply_delta", "compile_update", "upsert_document"]
