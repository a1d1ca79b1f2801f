"""Days as ordinals, moments as FHIR text. No clock: the export's own day is a constant."""

from __future__ import annotations

from datetime import date
from functools import cache

#: The day on which the export is said to have been made; nothing in it is later, save appointments and expiry dates.
EXPORTED = date(2025, 6, 30).toordinal()

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


#: `T00:00:` to `T23:59:`; writing moments is the generator's commonest work.
_MINUTES = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS = tuple(f"{second:02}" for second in range(60))


@cache
def iso(day: int) -> str:
    """`2024-02-29` for a day's ordinal (kept: a population lives through some forty thousand days)."""
    return date.fromordinal(day).isoformat()


def moment(day: int, second: int, zone: str) -> str:
    """A dateTime; `second` counts from midnight and may pass the day's end."""
    if second >= 86_400:
        extra, second = divmod(second, 86_400)
        day += extra
    return f"{iso(day)}{_MINUTES[second // 60]}{_SECONDS[second % 60]}{zone}"


def instant(day: int, second: int, zone: str) -> str:
    """An instant with milliseconds that are not all alike."""
    return f"{moment(day, second, '')}.{(second * 7919 + day) % 1000:03}{zone}"


def us(day: int) -> str:
    """`03/14/1987`, the way a note writes a date."""
    then = date.fromordinal(day)
    return f"{then.month:02}/{then.day:02}/{then.year}"


def long(day: int) -> str:
    """`March 14, 1987`."""
    then = date.fromordinal(day)
    return f"{_MONTHS[then.month - 1]} {then.day}, {then.year}"


def age(born: int, day: int) -> int:
    """Whole years from birth to a day; on the 29th of February's people the year turns on the 1st of March."""
    birth, then = date.fromordinal(born), date.fromordinal(day)
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))
