"""The calendar, parts of dates, their text and their truncation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bson import Int64, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents.expressions.calendar import Moment, date_of, days_of
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def at(text: str) -> DatetimeMS:
    """A date as ISO 8601 writes it."""
    moment = dt.datetime.fromisoformat(text)
    return DatetimeMS((moment - EPOCH) // dt.timedelta(milliseconds=1))


DATE = at("2024-02-29T13:45:59.123+00:00")


@given(st.datetimes())
def test_the_calendar_agrees_with_pythons(naive: dt.datetime) -> None:
    when = naive.replace(tzinfo=dt.UTC)
    found = Moment.at((when - EPOCH) // dt.timedelta(milliseconds=1))
    assert found[:6] == when.timetuple()[:6]
    assert found.day_of_year == when.timetuple().tm_yday
    assert (*found.iso_week_date, found.iso_day_of_week) == when.isocalendar()
    assert found.week == int(when.strftime("%U"))


@given(st.integers(-(10**11), 10**11))
def test_days_and_dates_are_one_to_one(days: int) -> None:
    assert days_of(*date_of(days)) == days


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("$year", 2024),
        ("$month", 2),
        ("$dayOfMonth", 29),
        ("$hour", 13),
        ("$minute", 45),
        ("$second", 59),
        ("$millisecond", 123),
        ("$dayOfYear", 60),
        ("$dayOfWeek", 5),
        ("$isoDayOfWeek", 4),
        ("$week", 8),
        ("$isoWeek", 9),
        ("$isoWeekYear", 2024),
    ],
)
def test_part(operator: str, expected: int) -> None:
    assert same(evaluate({operator: "$d"}, {"d": DATE}), expected)
    assert evaluate({operator: ["$gone"]}) is None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$hour": {"date": "$d", "timezone": "+05:30"}}, 19),
        ({"$dayOfMonth": {"date": "$d", "timezone": "-1400"}}, 28),
        ({"$hour": {"date": "$d", "timezone": "+02"}}, 15),
        ({"$year": ObjectId("507f1f77bcf86cd799439011")}, 2012),
        ({"$year": Timestamp(0, 1)}, 1970),
        ({"$hour": {"date": "$d", "timezone": "$gone"}}, None),
        ({"$dateToString": {"date": "$d"}}, "2024-02-29T13:45:59.123Z"),
        (
            {"$dateToString": {"date": "$d", "format": "%d.%m.%Y %H:%M %j %u %V %% %b"}},
            "29.02.2024 13:45 060 4 09 % Feb",
        ),
        ({"$dateToString": {"date": "$d", "format": "%H %z %Z", "timezone": "-03:30"}}, "10 -0330 -210"),
        ({"$dateToString": {"date": "$gone", "onNull": "none"}}, "none"),
        ({"$dateToString": {"date": "$gone"}}, None),
        ({"$dateTrunc": {"date": "$d", "unit": "year"}}, at("2024-01-01T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "quarter"}}, at("2024-01-01T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "month"}}, at("2024-02-01T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "month", "binSize": 5}}, at("2023-10-01T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "week"}}, at("2024-02-25T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "week", "startOfWeek": "Mon"}}, at("2024-02-26T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "day"}}, at("2024-02-29T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "day", "timezone": "+14:00"}}, at("2024-03-01T00:00:00+14:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "month", "timezone": "+14:00"}}, at("2024-03-01T00:00:00+14:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "hour", "binSize": 6}}, at("2024-02-29T12:00:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "minute", "binSize": 15}}, at("2024-02-29T13:45:00+00:00")),
        ({"$dateTrunc": {"date": "$d", "unit": "second"}}, at("2024-02-29T13:45:59+00:00")),
        ({"$dateTrunc": {"date": DatetimeMS(-1), "unit": "year", "binSize": 20}}, at("1960-01-01T00:00:00+00:00")),
        ({"$dateTrunc": {"date": "$gone", "unit": "day"}}, None),
        ({"$dateAdd": {"startDate": "$d", "unit": "year", "amount": 1}}, at("2025-02-28T13:45:59.123+00:00")),
        ({"$dateAdd": {"startDate": "$d", "unit": "quarter", "amount": -1}}, at("2023-11-29T13:45:59.123+00:00")),
        ({"$dateAdd": {"startDate": "$d", "unit": "week", "amount": 2}}, at("2024-03-14T13:45:59.123+00:00")),
        ({"$dateAdd": {"startDate": "$d", "unit": "hour", "amount": 11.0}}, at("2024-03-01T00:45:59.123+00:00")),
        ({"$dateAdd": {"startDate": "$d", "unit": "day", "amount": "$gone"}}, None),
        (
            {"$dateSubtract": {"startDate": "$d", "unit": "month", "amount": 1, "timezone": "+14:00"}},
            at("2024-01-31T13:45:59.123+00:00"),
        ),
        ({"$dateDiff": {"startDate": at("2023-12-31T23:59:59+00:00"), "endDate": "$d", "unit": "year"}}, Int64(1)),
        ({"$dateDiff": {"startDate": at("2023-12-31T23:59:59+00:00"), "endDate": "$d", "unit": "month"}}, Int64(2)),
        ({"$dateDiff": {"startDate": at("2024-02-28T23:59:59+00:00"), "endDate": "$d", "unit": "day"}}, Int64(1)),
        ({"$dateDiff": {"startDate": "$d", "endDate": at("2024-02-28T23:59:59+00:00"), "unit": "hour"}}, Int64(-14)),
        ({"$dateDiff": {"startDate": at("2024-02-24T00:00:00+00:00"), "endDate": "$d", "unit": "week"}}, Int64(1)),
        (
            {
                "$dateDiff": {
                    "startDate": at("2024-02-25T00:00:00+00:00"),
                    "endDate": "$d",
                    "unit": "week",
                    "startOfWeek": "monday",
                }
            },
            Int64(1),
        ),
        ({"$dateFromParts": {"year": 2024, "month": 2, "day": 29, "hour": 1}}, at("2024-02-29T01:00:00+00:00")),
        ({"$dateFromParts": {"year": 2024, "month": 14, "day": 0}}, at("2025-01-31T00:00:00+00:00")),
        ({"$dateFromParts": {"year": 2024, "timezone": "+01:00"}}, at("2024-01-01T00:00:00+01:00")),
        ({"$dateFromParts": {"year": "$gone"}}, None),
        (
            {"$dateToParts": {"date": "$d", "timezone": "-01:00"}},
            {"year": 2024, "month": 2, "day": 29, "hour": 12, "minute": 45, "second": 59, "millisecond": 123},
        ),
        ({"$dateFromString": {"dateString": "2024-02-29T13:45:59.123Z"}}, DATE),
        ({"$dateFromString": {"dateString": "x", "onError": "bad"}}, "bad"),
        ({"$dateFromString": {"dateString": "$gone", "onNull": "none"}}, "none"),
        ({"$dateTrunc": {"date": "$d", "unit": "$gone"}}, None),
        ({"$dateTrunc": {"date": "$d", "unit": "$unit"}}, at("2024-02-29T13:00:00+00:00")),
    ],
)
def test_value(spec: Any, expected: Any) -> None:
    assert same(evaluate(spec, {"d": DATE, "unit": "hour"}), expected)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"$year": "text"}, "$year"),
        ({"$year": {"date": DATE, "timezone": "Europe/Berlin"}}, "Europe/Berlin"),
        ({"$year": {"date": DATE, "zone": "UTC"}}, "zone"),
        ({"$dateToString": {"date": DATE, "format": "%Q"}}, "%Q"),
        ({"$dateToString": {"date": DATE, "format": 1}}, "$dateToString"),
        ({"$dateTrunc": {"date": DATE, "unit": "aeon"}}, "aeon"),
        ({"$dateTrunc": {"date": DATE}}, "unit"),
        ({"$dateAdd": {"startDate": DATE, "unit": "aeon", "amount": 1}}, "aeon"),
        ({"$dateAdd": {"startDate": DATE, "unit": "day", "amount": 1.5}}, "amount"),
        ({"$dateAdd": {"startDate": DATE, "unit": "year", "amount": 2**62}}, "$dateAdd"),
        ({"$dateSubtract": {"startDate": "x", "unit": "day", "amount": 1}}, "$dateSubtract"),
        ({"$dateDiff": {"startDate": DATE, "endDate": DATE, "unit": "week", "startOfWeek": "x"}}, "startOfWeek"),
        ({"$dateFromParts": {"year": 0}}, "year"),
        ({"$dateFromParts": {"year": 2024, "month": "x"}}, "month"),
        ({"$dateFromString": {"dateString": "x"}}, "$dateFromString"),
        ({"$dateFromString": {"dateString": "x", "format": "%Y"}}, "format"),
        ({"$dateTrunc": {"date": DATE, "unit": "day", "binSize": 0}}, "binSize"),
        ({"$dateTrunc": {"date": DATE, "unit": "day", "binSize": 1.5}}, "binSize"),
        ({"$dateTrunc": {"date": DATE, "unit": "week", "startOfWeek": "someday"}}, "someday"),
        ({"$dateTrunc": {"date": DatetimeMS(-(2**63)), "unit": "year"}}, "$dateTrunc"),
    ],
)
def test_what_has_no_value_is_named(spec: Any, named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec)
    assert named in refused.value.message
