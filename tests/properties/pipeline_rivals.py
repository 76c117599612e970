"""mongomock-ng's pipelines beside ours. What it fails at (an exception that is no refusal, a sentinel) is no answer."""

from __future__ import annotations

import copy
from typing import Any, Literal, TypeAlias

import mongomock_ng

from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import RpcError
from tests.unit.domain.documents.pipeline.running import context

Document: TypeAlias = dict[str, Any]
Stages: TypeAlias = list[dict[str, Any]]
Answer: TypeAlias = 'list[Document] | Literal["refused", "failed"]'


def ours(stages: Stages, documents: list[Document]) -> Answer:
    """Our results."""
    try:
        return list(compile_pipeline(stages).run(documents, context()))
    except RpcError:
        return "refused"


def mongomock(stages: Stages, documents: list[Document]) -> Answer:
    """The results of mongomock-ng, if they are documents."""
    collection: Any = mongomock_ng.MongoClient().db.c
    try:
        if documents:
            collection.insert_many(copy.deepcopy(documents))
        found = list(collection.aggregate(copy.deepcopy(stages)))
        encode_value(found)
    except mongomock_ng.OperationFailure:
        return "refused"
    except Exception:  # noqa: BLE001 - its faults are of every kind
        return "failed"
    return found


def determined(stages: Stages) -> Stages:
    """The same stages, but every order that MongoDB leaves open is settled: of groups, of sets, of ties."""
    settled: Stages = []
    for stage in stages:
        [(name, spec)] = stage.items()
        settled.append({"$sort": {**spec, "_id": 1}} if name == "$sort" and "_id" not in spec else stage)
        if name in {"$group", "$sortByCount"}:
            settled.append({"$sort": {"_id": 1}})
        if name == "$group" and (sets := [field for field in spec if "$addToSet" in (spec[field] or ())]):
            settled.append({"$set": {field: {"$size": f"${field}"} for field in sets if field != "_id"}})
    return settled


def alike(one: Answer, other: Answer) -> bool:
    """Whether two answers are one; the order of fields and the last digits of doubles do not count."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return encode_value(_plain(one)) == encode_value(_plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value
