"""The answers that loops give by themselves, for nearly all ids, references and dates: UUIDs and full days.

What a loop does not know (other ids, partial dates, odd spellings) it leaves to the masker, which says of everything
what the loop would have said.
"""

from __future__ import annotations

from masking.document.lookup import ABSENT, Texts, find
from masking.native import Bytes, Ints, bytes_of, compiled

#: In `days`: the subject is not known.
NOBODY = -(1 << 30)
_URN = bytes_of(b"urn:uuid:")
_UUID = 36


@compiled
def _is_before(text: Bytes, start: int, stop: int, types: Texts) -> bool:
    """Whether this is what stands before the UUID of a reference: an R4 type and a slash, or `urn:uuid:`."""
    if text[stop - 1] == 47:
        return find(types, text, start, stop - 1) != ABSENT
    if stop - start != len(_URN):
        return False
    for offset in range(len(_URN)):
        if text[start + offset] != _URN[offset]:
            return False
    return True


@compiled
def _read_uuid(text: Bytes, at: int, blocks: Bytes, place: int) -> bool:
    byte = 0
    for offset in range(_UUID):
        letter = text[at + offset]
        if offset in (8, 13, 18, 23):
            if letter != 45:
                return False
            continue
        if 48 <= letter <= 57:
            digit = letter - 48
        elif 97 <= letter <= 102:
            digit = letter - 87
        else:
            return False
        # Hex digits come in pairs: the hyphens stand at even distances from either end of a pair.
        if byte & 1:
            blocks[place + (byte >> 1)] |= digit
        else:
            blocks[place + (byte >> 1)] = digit << 4
        byte += 1
    return True


@compiled
def find_uuids(
    text: Bytes, starts: Ints, stops: Ints, types: Texts, is_reference: bool, blocks: Bytes, places: Ints
) -> int:
    """Read the UUIDs in lower case of ids, or of `Type/<uuid>` and `urn:uuid:<uuid>`, 16 bytes each.

    places: of each value where its UUID begins in the text, or -1. Returns how many there are.
    """
    count = 0
    for value in range(len(starts)):
        start, stop = starts[value], stops[value]
        begin = stop - _UUID
        places[value] = -1
        if begin < start or (begin > start and not (is_reference and _is_before(text, start, begin, types))):
            continue
        if _read_uuid(text, begin, blocks, 16 * count):
            places[value] = begin
            count += 1
    return count


@compiled
def put_uuids(text: Bytes, starts: Ints, places: Ints, blocks: Bytes, out: Bytes, begins: Ints, ends: Ints) -> int:
    """Write the values anew with these UUIDs in place of theirs; the size of `out`. Values without one get no span."""
    size, block = 0, 0
    for value in range(len(starts)):
        place = places[value]
        if place < 0:
            continue
        begins[value] = size
        for at in range(starts[value], place):
            out[size] = text[at]
            size += 1
        for byte in range(16):
            if byte in (4, 6, 8, 10):
                out[size] = 45
                size += 1
            both = blocks[block + byte]
            high, low = both >> 4, both & 15
            out[size] = high + 48 if high < 10 else high + 87
            out[size + 1] = low + 48 if low < 10 else low + 87
            size += 2
        block += 16
        ends[value] = size
    return size


@compiled
def _number(text: Bytes, at: int, digits: int) -> int:
    number = 0
    for place in range(at, at + digits):
        number = number * 10 + text[place] - 48
    return number


@compiled
def _are_digits(text: Bytes, at: int, digits: int) -> bool:
    for place in range(at, at + digits):
        if not 48 <= text[place] <= 57:
            return False
    return True


@compiled
def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@compiled
def _is_day(text: Bytes, start: int, stop: int) -> bool:
    """Whether a text begins with a day that the calendar has."""
    if stop - start < 10 or text[start + 4] != 45 or text[start + 7] != 45:
        return False
    if not (_are_digits(text, start, 4) and _are_digits(text, start + 5, 2) and _are_digits(text, start + 8, 2)):
        return False
    year, month, day = _number(text, start, 4), _number(text, start + 5, 2), _number(text, start + 8, 2)
    if year == 0 or month == 0 or month > 12 or day == 0:
        return False
    return day <= _month_length(year, month)


@compiled
def _is_rest(text: Bytes, at: int, stop: int) -> bool:
    """Whether this may follow a day: nothing, or a time with its zone (see `masking.fhir.dates`)."""
    if at == stop:
        return True
    if stop - at < 10 or text[at] != 84 or text[at + 3] != 58 or text[at + 6] != 58:
        return False
    if not (_are_digits(text, at + 1, 2) and _are_digits(text, at + 4, 2) and _are_digits(text, at + 7, 2)):
        return False
    if _number(text, at + 1, 2) > 23 or _number(text, at + 4, 2) > 59 or _number(text, at + 7, 2) > 60:
        return False
    at += 9
    if text[at] == 46:
        begin = at + 1
        at = begin
        while at < stop and 48 <= text[at] <= 57:
            at += 1
        if at == begin or at == stop:
            return False
    if text[at] == 90:
        return at + 1 == stop
    if stop - at != 6 or text[at] not in (43, 45) or text[at + 3] != 58:
        return False
    if not (_are_digits(text, at + 1, 2) and _are_digits(text, at + 4, 2)):
        return False
    hours, minutes = _number(text, at + 1, 2), _number(text, at + 4, 2)
    return (hours < 14 and minutes < 60) or (hours == 14 and minutes == 0)


@compiled
def _day_number(year: int, month: int, day: int) -> int:
    """1 for 0001-01-01, as `datetime.date.toordinal` counts."""
    before = year - 1
    number = before * 365 + before // 4 - before // 100 + before // 400
    for earlier in range(1, month):
        number += _month_length(year, earlier)
    return number + day


@compiled
def _date_of(number: int) -> tuple[int, int, int]:
    """The year, month and day of a day number."""
    year = (number * 400) // 146097 + 1
    while _day_number(year, 1, 1) > number:
        year -= 1
    while _day_number(year + 1, 1, 1) <= number:
        year += 1
    left = number - _day_number(year, 1, 1) + 1
    month = 1
    while left > _month_length(year, month):
        left -= _month_length(year, month)
        month += 1
    return year, month, left


@compiled
def shift_days(text: Bytes, starts: Ints, stops: Ints, days: Ints, out: Bytes, begins: Ints, ends: Ints) -> int:
    """Move full dates, with or without a time, by whole days; the size of `out`. Others get the end NOBODY."""
    size = 0
    for value in range(len(starts)):
        start, stop = starts[value], stops[value]
        begins[value], ends[value] = size, NOBODY
        if days[value] == NOBODY or not _is_day(text, start, stop):
            continue
        year = _number(text, start, 4)
        month, day = _number(text, start + 5, 2), _number(text, start + 8, 2)
        moved = _day_number(year, month, day) + days[value]
        if moved < 1 or moved > 3652059 or not _is_rest(text, start + 10, stop):
            continue
        year, month, day = _date_of(moved)
        for place in range(4):
            out[size + 3 - place] = 48 + year % 10
            year //= 10
        out[size + 4], out[size + 5], out[size + 6] = 45, 48 + month // 10, 48 + month % 10
        out[size + 7], out[size + 8], out[size + 9] = 45, 48 + day // 10, 48 + day % 10
        size += 10
        for at in range(start + 10, stop):
            out[size] = text[at]
            size += 1
        ends[value] = size
    return size
