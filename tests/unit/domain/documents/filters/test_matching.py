"""Which documents match, by the rules of MongoDB's manual; every case is one line."""

from __future__ import annotations

from typing import Any, Final

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from laura_fast.domain.documents.filters import compile_filter

NAN: Final = float("nan")

MATCHING: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    ({}, {}),
    ({}, {"a": 1}),
    ({"$comment": "anything"}, {"a": 1}),
    # numbers are equal across their types
    ({"a": 1}, {"a": 1.0}),
    ({"a": 1.0}, {"a": Int64(1)}),
    ({"a": 1}, {"a": Decimal128("1.00")}),
    ({"a": Decimal128("1.00")}, {"a": 1}),
    ({"a": {"b": [1]}}, {"a": {"b": [1.0]}}),
    ({"a": 0}, {"a": -0.0}),
    ({"a": NAN}, {"a": NAN}),
    ({"a": NAN}, {"a": Decimal128("NaN")}),
    # null and missing
    ({"a": None}, {"a": None}),
    ({"a": None}, {}),
    ({"a.b": None}, {}),
    ({"a.b": None}, {"a": 1}),
    ({"a.b": None}, {"a": {"c": 1}}),
    ({"a.b": None}, {"a": [{"c": 1}]}),
    ({"a": None}, {"a": [1, None]}),
    ({"a": {"$gte": None}}, {}),
    ({"a": {"$lte": None}}, {"a": None}),
    ({"a": {"$in": [None]}}, {}),
    ({"a": {"$ne": 1}}, {}),
    ({"a": {"$nin": [1]}}, {}),
    ({"a": {"$not": {"$gt": 1}}}, {}),
    ({"a": {"$exists": False}}, {}),
    ({"a": {"$exists": True}}, {"a": None}),
    ({"a.b": {"$exists": True}}, {"a": [1, {"b": 1}]}),
    ({"a.b": {"$exists": False}}, {"a": [1, {"c": 1}]}),
    ({"a": {"$exists": 0}}, {}),
    ({"a": {"$exists": Decimal128("0")}}, {}),
    # arrays: an element, or the whole
    ({"a": 1}, {"a": [0, 1]}),
    ({"a": [0, 1]}, {"a": [0, 1]}),
    ({"a": [0, 1]}, {"a": [[0, 1], 2]}),
    ({"a": {"$gt": 1, "$lt": 1}}, {"a": [0, 2]}),
    ({"a": {"$in": [5, 1]}}, {"a": [0, 1]}),
    ({"a": {"$in": [[0, 1]]}}, {"a": [0, 1]}),
    ({"a": []}, {"a": []}),
    ({"a": {"$gt": [0]}}, {"a": [0, 0]}),
    ({"a": {"$lt": [1]}}, {"a": [[0], 5]}),
    ({"a": {"$ne": 1}}, {"a": [2, 3]}),
    # paths
    ({"a.b": 1}, {"a": {"b": 1}}),
    ({"a.b": 1}, {"a": [{"b": 0}, {"b": 1}]}),
    ({"a.b": 1}, {"a": [{"b": [0, 1]}]}),
    ({"a.b.c": 1}, {"a": [{"b": [{"c": 1}]}]}),
    ({"a.1": 1}, {"a": [0, 1]}),
    ({"a.1": 1}, {"a": {"1": 1}}),
    ({"a.1": 1}, {"a": [{"1": 1}]}),
    ({"a.0.b": 1}, {"a": [{"b": 1}]}),
    ({"a.0.b": 1}, {"a": [[{"b": 1}]]}),
    ({"a.0.0": 1}, {"a": [[1]]}),
    ({"a.0": [1, 2]}, {"a": [[1, 2]]}),
    ({"a.0": None}, {"a": [{"b": 1}]}),
    ({"a..b": 1}, {"a": {"": {"b": 1}}}),
    ({"": 1}, {"": 1}),
    # sub-documents are equal with their field order
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 2.0}}),
    ({"a": {}}, {"a": {}}),
    ({"a": {"b": 1}}, {"a": [{"b": 1}]}),
    ({"a": {"$ref": "c", "$id": 1}}, {"a": {"$ref": "c", "$id": 1}}),
    # order, within a bracket
    ({"a": {"$gt": 1}}, {"a": 1.5}),
    ({"a": {"$gte": 2**53}}, {"a": 2.0**53}),
    ({"a": {"$gt": 2.0**53}}, {"a": Int64(2**53 + 1)}),
    ({"a": {"$lt": Decimal128("0.2")}}, {"a": 0.1}),
    ({"a": {"$lt": 0.1}}, {"a": Decimal128("0.1")}),
    ({"a": {"$gt": "a"}}, {"a": "b"}),
    ({"a": {"$lt": "\U0001f600"}}, {"a": "\uffff"}),
    ({"a": {"$lt": True}}, {"a": False}),
    ({"a": {"$gt": {"b": 1}}}, {"a": {"b": 2}}),
    ({"a": {"$gt": b"z"}}, {"a": b"aa"}),
    ({"a": {"$gt": b"aa"}}, {"a": Binary(b"aa", 5)}),
    ({"a": {"$gt": DatetimeMS(1)}}, {"a": DatetimeMS(2)}),
    ({"a": {"$gt": Timestamp(1, 5)}}, {"a": Timestamp(2, 1)}),
    ({"a": {"$gt": ObjectId(b"a" * 12)}}, {"a": ObjectId(b"b" * 12)}),
    ({"a": {"$gte": NAN}}, {"a": NAN}),
    ({"a": {"$gt": MinKey()}}, {"a": "x"}),
    ({"a": {"$gt": MinKey()}}, {}),
    ({"a": {"$lte": MaxKey()}}, {"a": MaxKey()}),
    ({"a": {"$lt": MaxKey()}}, {"a": {"b": 1}}),
    ({"a": {"$lte": MinKey()}}, {"a": MinKey()}),
    ({"a": MaxKey()}, {"a": MaxKey()}),
    # $in
    ({"a": {"$in": [True]}}, {"a": True}),
    ({"a": {"$in": [1]}}, {"a": Decimal128("1")}),
    ({"a": {"$in": [Decimal128("1")]}}, {"a": 1}),
    ({"a": {"$in": [NAN]}}, {"a": NAN}),
    ({"a": {"$in": [{"b": 1}]}}, {"a": {"b": 1.0}}),
    ({"a": {"$in": ["x", Regex("^y")]}}, {"a": "yz"}),
    ({"a": {"$in": [Regex("y", "i")]}}, {"a": [1, "xY"]}),
    ({"a": {"$nin": [Regex("y")]}}, {"a": "x"}),
    ({"a": {"$nin": []}}, {"a": "x"}),
    # regular expressions
    ({"a": Regex("b+")}, {"a": "abb"}),
    ({"a": Regex("^B", "i")}, {"a": ["x", "bc"]}),
    ({"a": Regex("b")}, {"a": Regex("b")}),
    ({"a": {"$eq": Regex("b")}}, {"a": Regex("b")}),
    ({"a": {"$regex": "b.c", "$options": "s"}}, {"a": "b\nc"}),
    ({"a": {"$options": "m", "$regex": "^c"}}, {"a": "b\nc"}),
    ({"a": {"$regex": Regex("B"), "$options": "i"}}, {"a": "b"}),
    ({"a": {"$regex": "a b # c", "$options": "x"}}, {"a": "ab"}),
    ({"a": {"$not": Regex("b")}}, {"a": "c"}),
    ({"a": {"$not": {"$regex": "b"}}}, {"a": 1}),
    # $size, $all, $elemMatch
    ({"a": {"$size": 2}}, {"a": [1, 2]}),
    ({"a": {"$size": 0.0}}, {"a": []}),
    ({"a.b": {"$size": 1}}, {"a": [{"b": [1]}]}),
    ({"a": {"$all": [1, 2]}}, {"a": [2, 0, 1]}),
    ({"a": {"$all": [1]}}, {"a": 1}),
    ({"a": {"$all": [[1, 2]]}}, {"a": [1, 2]}),
    ({"a": {"$all": [Regex("x"), "y"]}}, {"a": ["ax", "y"]}),
    ({"a": {"$all": [{"$elemMatch": {"b": 1}}, {"$elemMatch": {"b": 2}}]}}, {"a": [{"b": 1}, {"b": 2}]}),
    ({"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, {"a": [0, 2, 4]}),
    ({"a": {"$elemMatch": {"b": 1, "c": 2}}}, {"a": [{"b": 1, "c": 2}]}),
    ({"a": {"$elemMatch": {"$or": [{"b": 1}, {"c": 1}]}}}, {"a": [{"c": 1}]}),
    ({"a": {"$elemMatch": {"$in": [1]}}}, {"a": [1]}),
    ({"a": {"$elemMatch": {"$eq": [1]}}}, {"a": [[1]]}),
    ({"a": {"$elemMatch": {"$elemMatch": {"$gt": 1}}}}, {"a": [[0, 2]]}),
    ({"a": {"$elemMatch": {"$not": {"$gt": 1}}}}, {"a": [0]}),
    ({"a": {"$elemMatch": {"$exists": True}}}, {"a": [None]}),
    ({"a": {"$elemMatch": {"0": 1}}}, {"a": [[1]]}),
    ({"a": {"$elemMatch": {}}}, {"a": [1, {}]}),
    ({"a.b": {"$elemMatch": {"$eq": 1}}}, {"a": [{"b": [1]}]}),
    # $mod, $type
    ({"a": {"$mod": [3, 1]}}, {"a": 4}),
    ({"a": {"$mod": [3, -2]}}, {"a": -5}),
    ({"a": {"$mod": [-3, 2]}}, {"a": 5}),
    ({"a": {"$mod": [3.9, 1.9]}}, {"a": [4.5]}),
    ({"a": {"$mod": [Int64(2**62), 1]}}, {"a": Int64(2**62 + 1)}),
    ({"a": {"$type": "int"}}, {"a": 1}),
    ({"a": {"$type": 18}}, {"a": Int64(1)}),
    ({"a": {"$type": 1.0}}, {"a": 1.0}),
    ({"a": {"$type": "number"}}, {"a": Decimal128("1")}),
    ({"a": {"$type": ["string", 8]}}, {"a": True}),
    ({"a": {"$type": "string"}}, {"a": [1, "x"]}),
    ({"a": {"$type": "array"}}, {"a": []}),
    ({"a": {"$type": "null"}}, {"a": None}),
    ({"a": {"$type": -1}}, {"a": MinKey()}),
    ({"a": {"$type": 127}}, {"a": MaxKey()}),
    ({"a": {"$type": "binData"}}, {"a": Binary(b"", 4)}),
    ({"a": {"$type": "javascript"}}, {"a": Code("f")}),
    ({"a": {"$type": 15}}, {"a": Code("f", {})}),
    # combinations
    ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ({"$and": [{"a": 1}, {"b": 2}]}, {"a": 1, "b": 2}),
    ({"$or": [{"a": 1}, {"b": 2}]}, {"b": 2}),
    ({"$nor": [{"a": 1}, {"b": 2}]}, {"a": 2}),
    ({"a": {"$not": {"$not": {"$eq": 1}}}}, {"a": 1}),
    ({"$expr": {"$gt": ["$a", "$b"]}}, {"a": 2, "b": 1}),
    ({"$or": [{"$expr": {"$eq": ["$a", 1]}}, {"b": 1}]}, {"a": 1}),
]

DIFFERENT: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    # true is not 1, at any depth
    ({"a": 1}, {"a": True}),
    ({"a": True}, {"a": 1}),
    ({"a": 0.0}, {"a": [False]}),
    ({"a": [1]}, {"a": [True]}),
    ({"a": {"b": 1}}, {"a": {"b": True}}),
    ({"a": {"$in": [1, "x"]}}, {"a": True}),
    ({"a": {"$in": [True]}}, {"a": 1}),
    ({"a": {"$gt": 0}}, {"a": True}),
    ({"a": {"$gte": False}}, {"a": 0}),
    ({"a": {"$all": [1]}}, {"a": [True]}),
    ({"a": {"$mod": [2, 1]}}, {"a": True}),
    ({"a": {"$type": "number"}}, {"a": True}),
    # null and missing
    ({"a": None}, {"a": []}),
    ({"a": None}, {"a": 0}),
    ({"a.b": None}, {"a": []}),
    ({"a.b": None}, {"a": [1]}),
    ({"a.0": None}, {"a": []}),
    ({"a.0.b": None}, {"a": [1]}),
    ({"a": {"$exists": True}}, {}),
    ({"a": {"$gt": None}}, {"a": None}),
    ({"a": {"$lt": None}}, {}),
    ({"a": {"$type": "null"}}, {}),
    ({"a": {"$lt": 1}}, {}),
    ({"a": {"$ne": None}}, {}),
    ({"a": {"$nin": [None]}}, {}),
    ({"a": {"$size": 0}}, {}),
    ({"a": {"$in": []}}, {}),
    # arrays
    ({"a": {"$ne": 1}}, {"a": [2, 1]}),
    ({"a": {"$not": {"$gt": 1}}}, {"a": [0, 2]}),
    ({"a": 1}, {"a": [[1]]}),
    ({"a": [1, 2]}, {"a": [2, 1]}),
    ({"a": [1]}, {"a": [1, 2]}),
    ({"a": {"$gt": 1}}, {"a": [[2]]}),
    # paths
    ({"a.b": 1}, {"a": [[{"b": 1}]]}),
    ({"a.0": 1}, {"a": [[1]]}),
    ({"a.01": 1}, {"a": [0, 1]}),
    ({"a.1": 1}, {"a": [1]}),
    ({"a.-1": 1}, {"a": [1]}),
    ({"a.b": 1}, {"a.b": 1}),
    # sub-documents
    ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}),
    ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
    ({"a": {}}, {"a": []}),
    # order
    ({"a": {"$gt": 1}}, {"a": "2"}),
    ({"a": {"$lt": "x"}}, {"a": 1}),
    ({"a": {"$lt": 1}}, {"a": None}),
    ({"a": {"$lt": 1}}, {"a": NAN}),
    ({"a": {"$gte": Decimal128("-Infinity")}}, {"a": NAN}),
    ({"a": {"$lt": Decimal128("1")}}, {"a": Decimal128("NaN")}),
    ({"a": {"$gte": NAN}}, {"a": 1}),
    ({"a": {"$lt": NAN}}, {"a": NAN}),
    ({"a": {"$gt": 2.0**53}}, {"a": Int64(2**53)}),
    ({"a": {"$lte": DatetimeMS(5)}}, {"a": Timestamp(0, 1)}),
    ({"a": {"$gte": MaxKey()}}, {"a": 1}),
    ({"a": {"$lt": MinKey()}}, {"a": MinKey()}),
    ({"a": {"$gt": MinKey()}}, {"a": MinKey()}),
    ({"a": {"$gte": Code("a")}}, {"a": Code("b", {})}),
    ({"a": "x"}, {"a": Code("x")}),
    ({"a": {"$in": ["x"]}}, {"a": Code("x")}),
    ({"a": {"$gte": "x"}}, {"a": Code("x")}),
    ({"a": b"x"}, {"a": Binary(b"x", 5)}),
    # regular expressions
    ({"a": Regex("b")}, {"a": Regex("b", "i")}),
    ({"a": Regex("1")}, {"a": 1}),
    ({"a": {"$eq": Regex("b")}}, {"a": "b"}),
    ({"a": {"$regex": "^b"}}, {"a": "a\nb"}),
    ({"a": {"$regex": "b.c"}}, {"a": "b\nc"}),
    ({"a": {"$nin": [Regex("y")]}}, {"a": ["x", "y"]}),
    ({"a": {"$not": Regex("b")}}, {"a": "b"}),
    # $size, $all, $elemMatch, $mod, $type
    ({"a": {"$size": 1}}, {"a": [[1, 2], 3]}),
    ({"a": {"$size": 1}}, {"a": {"0": 1}}),
    ({"a": {"$all": []}}, {"a": []}),
    ({"a": {"$all": [1, 2]}}, {"a": [1]}),
    ({"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, {"a": [0, 4]}),
    ({"a": {"$elemMatch": {"$eq": 1}}}, {"a": 1}),
    ({"a": {"$elemMatch": {"$eq": 1}}}, {"a": [[1]]}),
    ({"a": {"$elemMatch": {"b": 1}}}, {"a": {"b": 1}}),
    ({"a": {"$elemMatch": {"b": 1, "c": 2}}}, {"a": [{"b": 1}, {"c": 2}]}),
    ({"a": {"$elemMatch": {}}}, {"a": [1]}),
    ({"a": {"$elemMatch": {"$exists": False}}}, {"a": [1]}),
    ({"a": {"$mod": [3, 1]}}, {"a": "4"}),
    ({"a": {"$mod": [3, 2]}}, {"a": -1}),
    ({"a": {"$mod": [3, 0]}}, {"a": NAN}),
    ({"a": {"$mod": [3, 0]}}, {"a": 3e300}),
    ({"a": {"$type": "int"}}, {"a": Int64(1)}),
    ({"a": {"$type": "javascript"}}, {"a": Code("f", {})}),
    ({"a": {"$type": "symbol"}}, {"a": "x"}),
    # combinations
    ({"a": 1, "b": 2}, {"a": 1}),
    ({"$nor": [{"a": 1}, {"b": 2}]}, {"b": 2}),
    ({"$expr": "$a"}, {"a": 0}),
]


@pytest.mark.parametrize(("query", "document"), MATCHING, ids=map(str, MATCHING))
def test_matching(query: dict[str, Any], document: dict[str, Any]) -> None:
    assert compile_filter(query).matches(document)
    assert not compile_filter({"$nor": [query]}).matches(document)


@pytest.mark.parametrize(("query", "document"), DIFFERENT, ids=map(str, DIFFERENT))
def test_different(query: dict[str, Any], document: dict[str, Any]) -> None:
    assert not compile_filter(query).matches(document)
    assert compile_filter({"$nor": [query]}).matches(document)
