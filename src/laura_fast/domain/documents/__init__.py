"""Documents: values, queries, updates, projections, pipelines and the choice of an index, with MongoDB's semantics.

A document is a `dict` as pymongo's C codec makes it (`codec`). What a request says is checked and compiled once, into
closures; then these run per document. Nothing here reads a clock or rolls dice: both are arguments.
"""
