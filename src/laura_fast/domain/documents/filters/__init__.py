"""A query document, checked (`tree`) and compiled (`Filter`)."""

from laura_fast.domain.documents.filters.compiler import Filter, compile_filter
from laura_fast.domain.documents.filters.faults import FILTER_INVALID

__all__ = ["FILTER_INVALID", "Filter", "compile_filter"]
