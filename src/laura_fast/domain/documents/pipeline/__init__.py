"""Aggregation pipelines: checked and compiled once, then documents stream through.

The planner sees what comes before all else (`Pipeline.leading`), the router what shards can do themselves
(`Pipeline.split`).
"""

from laura_fast.domain.documents.pipeline.compiler import compile_pipeline
from laura_fast.domain.documents.pipeline.pipeline import Pipeline
from laura_fast.domain.documents.pipeline.stage import Context

__all__ = ["Context", "Pipeline", "compile_pipeline"]
