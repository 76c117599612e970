"""Aggregation expressions: checked and compiled once, then run per document.

`compile_expression` for whoever needs the value alone (`$expr`); `compile_part` for the pipeline, which also asks what
an expression reads. Comparisons here are over the total order of all types, unlike those of queries.
"""

from laura_fast.domain.documents.expressions.compiler import compile_expression, compile_part
from laura_fast.domain.documents.expressions.values import is_true
from laura_fast.domain.documents.kinds import MISSING

__all__ = ["MISSING", "compile_expression", "compile_part", "is_true"]
