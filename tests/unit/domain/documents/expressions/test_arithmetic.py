"""Numbers: their types, their limits, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions import MISSING
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

MOST32, MOST64 = 2**31 - 1, 2**63 - 1


@pytest.mark.parametrize(
    ("operator", "operands", "expected"),
    [
        ("$add", [], 0),
        ("$add", [1, 2], 3),
        ("$add", [1, 2, 3.5], 6.5),
        ("$add", [1, Int64(2)], Int64(3)),
        ("$add", [MOST32, 1], Int64(MOST32 + 1)),
        ("$add", [Int64(MOST64), 1], float(2**63)),
        ("$add", [0.1, Decimal128("0.2")], Decimal128("0.300000000000000")),
        ("$add", [1, None, "x"], None),
        ("$add", [MISSING, 1], None),
        ("$add", [DatetimeMS(1000), 1.5], DatetimeMS(1002)),
        ("$add", [1, DatetimeMS(1000), 1], DatetimeMS(1002)),
        ("$subtract", [1, 3], -2),
        ("$subtract", [-MOST32, 2], Int64(-MOST32 - 2)),
        ("$subtract", [DatetimeMS(1000), DatetimeMS(400)], Int64(600)),
        ("$subtract", [DatetimeMS(1000), 400], DatetimeMS(600)),
        ("$subtract", ["x", None], None),
        ("$multiply", [], 1),
        ("$multiply", [3, 4], 12),
        ("$multiply", [MOST32, 2], Int64(MOST32 * 2)),
        ("$multiply", [Int64(MOST64), 2], float(2**64)),
        ("$multiply", [Decimal128("1.5"), 2], Decimal128("3.0")),
        ("$divide", [4, 2], 2.0),
        ("$divide", [Int64(1), 4], 0.25),
        ("$divide", [Decimal128("1"), 4], Decimal128("0.25")),
        ("$divide", [1, None], None),
        ("$mod", [7, 3], 1),
        ("$mod", [-7, 3], -1),
        ("$mod", [7, Int64(-3)], Int64(1)),
        ("$mod", [-7.5, 2], -1.5),
        ("$mod", [Decimal128("7.5"), 2], Decimal128("1.5")),
        ("$abs", -3, 3),
        ("$abs", -(2**31), Int64(2**31)),
        ("$abs", -1.5, 1.5),
        ("$abs", Decimal128("-1.5"), Decimal128("1.5")),
        ("$ceil", 1.2, 2.0),
        ("$ceil", -0.5, -0.0),
        ("$ceil", 3, 3),
        ("$floor", Decimal128("-1.2"), Decimal128("-2")),
        ("$floor", math.inf, math.inf),
        ("$round", 2.5, 2.0),
        ("$round", [3.14159, 2], 3.14),
        ("$round", [1250, -2], 1200),
        ("$round", [Int64(1350), -2], Int64(1400)),
        ("$round", [MOST32, -1], Int64(2147483650)),
        ("$round", [Decimal128("2.675"), 2], Decimal128("2.68")),
        ("$round", [5, 3], 5),
        ("$trunc", -2.7, -2.0),
        ("$trunc", [2.79, 1], 2.7),
        ("$trunc", [-1299, -2], -1200),
        ("$pow", [2, 10], 1024),
        ("$pow", [2, 40], Int64(2**40)),
        ("$pow", [2, 64], float(2**64)),
        ("$pow", [-1, Int64(2**62 + 1)], Int64(-1)),
        ("$pow", [2, -1], 0.5),
        ("$pow", [Decimal128("2"), 3], Decimal128("8")),
        ("$pow", [10, 1000], math.inf),
        ("$sqrt", 9, 3.0),
        ("$sqrt", Decimal128("9"), Decimal128("3")),
        ("$exp", 0, 1.0),
        ("$exp", 1000, math.inf),
        ("$ln", 1, 0.0),
        ("$log10", 100, 2.0),
        ("$log", [8, 2], 3.0),
        ("$sqrt", None, None),
    ],
)
def test_value(operator: str, operands: Any, expected: Any) -> None:
    """Once folded, once with every operand read from the document."""
    given = operands if isinstance(operands, list) else [operands]
    document = {f"f{place}": value for place, value in enumerate(given) if value is not MISSING}
    assert same(evaluate({operator: [f"$f{place}" for place in range(len(given))]}, document), expected)
    if MISSING not in given:
        assert same(evaluate({operator: operands}), expected)


@pytest.mark.parametrize(
    ("operator", "operands"),
    [
        ("$add", ["x", None]),
        ("$add", [True, 1]),
        ("$add", [DatetimeMS(0), DatetimeMS(0)]),
        ("$add", [DatetimeMS(2**62), Int64(2**62)]),
        ("$add", [DatetimeMS(0), math.nan]),
        ("$subtract", [1, DatetimeMS(0)]),
        ("$multiply", [DatetimeMS(0), 2]),
        ("$divide", [1, 0]),
        ("$divide", [1, Decimal128("0")]),
        ("$mod", [1, 0.0]),
        ("$mod", ["x", 1]),
        ("$abs", Int64(-(2**63))),
        ("$abs", "x"),
        ("$sqrt", -1),
        ("$ln", 0),
        ("$log", [1, 1]),
        ("$pow", [0, -1]),
        ("$round", [1.5, 101]),
        ("$round", [1.5, 0.5]),
        ("$round", [1.5, math.nan]),
    ],
)
def test_what_has_no_value_names_the_operator(operator: str, operands: Any) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate({operator: operands})
    assert operator in refused.value.message
    assert refused.value.reason == "EXPRESSION_FAILED"


@pytest.mark.parametrize("spec", [{"$subtract": [1]}, {"$divide": [1, 2, 3]}, {"$abs": [1, 2]}, {"$round": []}])
def test_a_wrong_number_of_operands_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"takes .* operands") as refused:
        evaluate(spec)
    assert next(iter(spec)) in refused.value.message
