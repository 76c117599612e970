"""What a filter may not say; each message begins with the operator at fault."""

from __future__ import annotations

from typing import Any, Final

import pytest
from bson.regex import Regex

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import queries as limits

NAN: Final = float("nan")


def nested(levels: int) -> dict[str, Any]:
    query: dict[str, Any] = {"a": 1}
    for _ in range(levels):
        query = {"$and": [query]}
    return query


REFUSED: Final[list[tuple[str, Any]]] = [
    ("the filter", []),
    ("$foo", {"$foo": 1}),
    ("$where", {"$where": "true"}),
    ("$gt", {"$gt": 1}),
    ("$and", {"$and": []}),
    ("$or", {"$or": []}),
    ("$nor", {"$nor": []}),
    ("$or", {"$or": {"a": 1}}),
    ("$or", {"$or": [1]}),
    ("$foo", {"a": {"$foo": 1}}),
    ("$and", {"a": {"$and": [{"b": 1}]}}),
    ("b", {"a": {"$gt": 1, "b": 1}}),
    ("$foo", {"$and": [{"a": {"$not": {"$foo": 1}}}]}),
    ("$gt", {"a": {"$gt": Regex("b")}}),
    ("$ne", {"a": {"$ne": Regex("b")}}),
    ("$in", {"a": {"$in": 1}}),
    ("$in", {"a": {"$in": [{"$gt": 1}]}}),
    ("$nin", {"a": {"$nin": {"b": 1}}}),
    ("$all", {"a": {"$all": 1}}),
    ("$all", {"a": {"$all": [{"$gt": 1}]}}),
    ("$all", {"a": {"$all": [{"$elemMatch": {"$gt": 1}, "$gt": 1}]}}),
    ("$not", {"a": {"$not": 1}}),
    ("$not", {"a": {"$not": {}}}),
    ("$not", {"a": {"$not": {"b": 1}}}),
    ("$size", {"a": {"$size": -1}}),
    ("$size", {"a": {"$size": 1.5}}),
    ("$size", {"a": {"$size": "1"}}),
    ("$size", {"a": {"$size": True}}),
    ("$size", {"a": {"$size": NAN}}),
    ("$elemMatch", {"a": {"$elemMatch": 1}}),
    ("$foo", {"a": {"$elemMatch": {"$foo": 1}}}),
    ("$expr", {"a": {"$elemMatch": {"$expr": True}}}),
    ("$expr", {"a": {"$elemMatch": {"$and": [{"$expr": True}]}}}),
    ("$mod", {"a": {"$mod": 1}}),
    ("$mod", {"a": {"$mod": [1]}}),
    ("$mod", {"a": {"$mod": [1, 2, 3]}}),
    ("$mod", {"a": {"$mod": [0, 1]}}),
    ("$mod", {"a": {"$mod": [0.5, 1]}}),
    ("$mod", {"a": {"$mod": ["2", 1]}}),
    ("$mod", {"a": {"$mod": [NAN, 1]}}),
    ("$mod", {"a": {"$mod": [1e300, 1]}}),
    ("$type", {"a": {"$type": "foo"}}),
    ("$type", {"a": {"$type": 0}}),
    ("$type", {"a": {"$type": []}}),
    ("$type", {"a": {"$type": [1, None]}}),
    ("$type", {"a": {"$type": True}}),
    ("$regex", {"a": {"$regex": 1}}),
    ("$regex", {"a": {"$regex": "("}}),
    ("$regex", {"a": {"$regex": "a)|(b"}}),
    ("$regex", {"a": {"$regex": "a(?=b)"}}),
    ("$regex", {"a": {"$regex": r"(a)\1"}}),
    ("$regex", {"a": {"$regex": "a\0"}}),
    ("$regex", {"a": {"$in": [Regex("a(?!b)")]}}),
    ("$regex", {"a": Regex("(")}),
    ("$regex", {"a": {"$not": Regex("(?<=a)b")}}),
    ("$regex", {"a": {"$regex": "^" + "a" * limits.MAX_PATTERN_BYTES}}),
    ("$regex", {"a": {"$regex": "(a{1000}){1000}"}}),
    ("$options", {"a": {"$options": "i"}}),
    ("$options", {"a": {"$regex": "a", "$options": "g"}}),
    ("$options", {"a": {"$regex": "a", "$options": 1}}),
    ("$options", {"a": {"$regex": Regex("a", "i"), "$options": "i"}}),
    ("$options", {"a": Regex("a", "l")}),
    ("$and", nested(limits.MAX_FILTER_DEPTH)),
    ("the filter", {"$or": [{"a": 1}] * limits.MAX_FILTER_NODES}),
    ("$in", {"a": {"$in": [1] * (limits.MAX_IN_VALUES + 1)}}),
    ("$regex", {"a": {"$in": [Regex("a")] * (limits.MAX_PATTERNS + 1)}}),
]


@pytest.mark.parametrize(("operator", "query"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused(operator: str, query: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        compile_filter(query)
    assert caught.value.message.startswith(operator + " ")
    assert caught.value.reason == "FILTER_INVALID"
    assert caught.value.metadata == {"operator": operator}


def test_long_path() -> None:
    with pytest.raises(InvalidArgumentError, match="has 101 names") as caught:
        compile_filter({".".join(["a"] * 101): 1})
    assert caught.value.reason == "PATH_INVALID"


def test_bad_expression() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        compile_filter({"$expr": {"$foo": 1}})
    assert caught.value.reason == "BAD_EXPRESSION"


def test_as_much_as_allowed() -> None:
    compile_filter(nested(limits.MAX_FILTER_DEPTH - 1))
    compile_filter({"a": {"$in": [1] * limits.MAX_IN_VALUES}})
    compile_filter({"a": {"$in": [Regex("a")] * limits.MAX_PATTERNS}})
    compile_filter({"$or": [{"a": 1}] * (limits.MAX_FILTER_NODES - 1)})
