"""The proleptic Gregorian calendar over the whole range of BSON dates, which Python's `datetime` does not cover.

Days are counted from 1970-01-01, dates in milliseconds. The conversion counts years from March, so that the leap day
is the last of its year and months have a regular length before it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DAY_MS: Final = 86_400_000
_DAYS_PER_ERA: Final = 146_097
"""Days of 400 years, after which the calendar repeats."""
_DAYS_BEFORE_1970: Final = 719_468
"""From 0000-03-01 to 1970-01-01."""


class Moment(NamedTuple):
    """A date and a time of day; months, days and ISO week days (Monday) begin with 1."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    millisecond: int
    days: int

    @classmethod
    def at(cls, time_ms: int) -> Moment:
        days, within = divmod(time_ms, DAY_MS)
        seconds, millisecond = divmod(within, 1000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return cls(*date_of(days), hour, minute, second, millisecond, days)

    @property
    def iso_day_of_week(self) -> int:
        return (self.days + 3) % 7 + 1

    @property
    def day_of_year(self) -> int:
        return self.days - days_of(self.year, 1, 1) + 1

    @property
    def week(self) -> int:
        """Weeks begin on Sunday; days before the first Sunday of a year are in week 0."""
        return (self.day_of_year + 6 - self.iso_day_of_week % 7) // 7

    @property
    def iso_week_date(self) -> tuple[int, int]:
        """Year and week of ISO 8601: a week belongs to the year that has its Thursday."""
        thursday = self.days - self.iso_day_of_week + 4
        year = date_of(thursday)[0]
        return year, (thursday - days_of(year, 1, 1)) // 7 + 1


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day."""
    era, day_of_era = divmod(days + _DAYS_BEFORE_1970, _DAYS_PER_ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9  # noqa: PLR2004 - January and February come last
    return era * 400 + year_of_era + (month <= 2), month, day  # noqa: PLR2004 - and belong to the next year


def days_of(year: int, month: int, day: int) -> int:
    """The day of a date; months beyond 1 to 12 and days beyond the month's go on into the next or last ones."""
    carried, from_january = divmod(month - 1, 12)
    year += carried - (from_january < 2)  # noqa: PLR2004 - January and February belong to the year before
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((from_january + 10) % 12) + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _DAYS_BEFORE_1970 + day - 1
