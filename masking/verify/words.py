"""The search itself: one pass over bytes that finds every known value in whatever spelling. Compiled.

*Words* are runs of letters and digits, folded as they are read. *Values* of several words are found whatever separates
them, as long as it is short and no end of a line. *Numbers* are found over groups of digits from any group on, with a
leading 1 or without. *Days* are found as three numbers in the usual orders, with a month's name, and as eight digits.

A table has a hash and a mark a place. Marks: bit 0, a value ends here; bit 1, some value begins with this word; bits 2 to
5, the month of that name; from bit 8 on, the kinds.
"""

from __future__ import annotations

import numpy as np

from masking.native import Bytes, Hashes, Ints, Points, borrowing, compiled, making
from masking.verify.letters import LONGEST, day_key, fold_at, scatter

COMPLETE, FIRST = 1, 2
MONTH_SHIFT, KIND_SHIFT = 2, 8
#: Characters between two words of a value, and between two groups of digits.
_GAP = 4
_ACTIVE = (
    LONGEST  # values that may be under way at once: each word makes all of them longer, and none is longer than that
)
_RING = 8  # groups of digits that are looked back on


@borrowing
def slot_of(digest: np.uint64, mask: int) -> int:
    """Where a hash is looked for first, in a table of `mask + 1` places."""
    slot: int = int(digest & np.uint64(mask))
    return slot


@borrowing
def find(keys: Hashes, mask: int, digest: np.uint64) -> int:
    """The place of a hash in an open-addressed table; -1 where it is not."""
    place = slot_of(digest, mask)
    while keys[place] != 0:
        if keys[place] == digest:
            return place
        place = (place + 1) & mask
    return -1


@compiled
def insert(keys: Hashes, marks: Points, mask: int, digests: Hashes, new: Points) -> None:
    """Put hashes into a table that has room; marks of equal ones are joined."""
    for one in range(len(digests)):
        place = slot_of(digests[one], mask)
        while keys[place] != 0 and keys[place] != digests[one]:
            place = (place + 1) & mask
        keys[place] = digests[one]
        marks[place] |= new[one]


@borrowing
def _is_day(year: int, month: int, day: int) -> bool:
    return 1800 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31


@compiled
def measure(
    text: Bytes, bounds: Ints, table: Points, powers: Hashes, whole: Hashes, first: Hashes, sizes: Ints
) -> None:
    """Of each text its hash, that of its first word, and how many characters it is compared by."""
    for one in range(len(bounds) - 1):
        at, stop = int(bounds[one]), int(bounds[one + 1])
        digest, count, begun, ended = np.uint64(0), 0, False, False
        start = np.uint64(0)
        while at < stop and count < LONGEST:
            fold, at = fold_at(text, at, stop, False, table)
            if fold == 0:
                if begun and not ended:
                    start, ended = digest, True
                continue
            if fold == 1:
                continue
            begun = True
            digest = digest * powers[1] + np.uint64(fold & 0xFFFF)
            count += 1
            if fold >> 16:
                digest = digest * powers[1] + np.uint64(fold >> 16)
                count += 1
        whole[one] = scatter(digest)
        first[one] = scatter(start) if ended else whole[one]
        sizes[one] = count


@borrowing
def _lead(text: Bytes, at: int, is_json: bool, table: Points, base: np.uint64, most: int) -> tuple[np.uint64, int]:
    """The hash of the first `most` characters (one more, if the last is two) of the word that begins at `at`, and their number."""
    digest, count = np.uint64(0), 0
    while count < most and at < len(text):
        fold, at = fold_at(text, at, len(text), is_json, table)
        if fold == 0:
            break
        if fold == 1:
            continue
        digest = digest * base + np.uint64(fold & 0xFFFF)
        count += 1
        if fold >> 16:
            digest = digest * base + np.uint64(fold >> 16)
            count += 1
    return digest, count


@making
def scan(
    text: Bytes,
    is_json: bool,
    keys: Hashes,
    marks: Points,
    mask: int,
    table: Points,
    powers: Hashes,
    ends: Ints,
    places: Ints,
    days: Ints,
) -> int:
    """Find known values; how many, or -1 where there is no room for more.

    Of each: where it ends in `ends`, its place in the table in `places`, and of a day YYYYMMDD in `days` (0 for others).
    """  # fmt: skip
    count, size = 0, len(text)
    room = len(ends) - _ACTIVE - 32  # a word may end as many values as are under way, and some of its own
    active_hash = np.zeros(_ACTIVE, dtype=np.uint64)
    active_size = np.zeros(_ACTIVE, dtype=np.int32)
    active = 0
    ring_hash = np.zeros(_RING, dtype=np.uint64)
    ring = np.zeros(_RING * 3, dtype=np.int32)  # digits, value, month
    groups = 0  # numbers, or months, one close behind the other
    digit_groups = 0  # of those, how many at the end are bare digits
    at, gap, broken = 0, 0, True
    base = powers[1]
    while at < size:
        fold, after = fold_at(text, at, size, is_json, table)
        if fold == 0 or fold == 1:
            byte = text[at]
            if byte == 10 or byte == 123 or byte == 125:
                broken = True
            gap += 1
            at = after
            continue
        # ── a word ──
        begin = at
        digest, length, value, lead, is_number = np.uint64(0), 0, 0, 0, True
        after_digits = 0
        while True:
            if fold != 1:
                low = fold & 0xFFFF
                if is_number and 48 <= low <= 57:
                    lead += 1
                    if lead <= 8:
                        value = value * 10 + low - 48
                else:
                    if is_number:
                        after_digits = low
                    is_number = False
                digest = digest * base + np.uint64(low)
                length += 1
                if fold >> 16:
                    digest = digest * base + np.uint64(fold >> 16)
                    length += 1
                    is_number = False
            at = after
            if at >= size:
                break
            fold, after = fold_at(text, at, size, is_json, table)
            if fold == 0:
                break
        if broken or gap > _GAP:
            active = 0
            digit_groups = 0
        if broken or gap > 5:
            groups = 0
        broken, gap = False, 0
        if count >= room:
            return -1
        if length > LONGEST:  # a longer value is known by its first characters
            start, _ = _lead(text, begin, is_json, table, base, LONGEST)
            place = find(keys, mask, scatter(start))
        else:
            place = find(keys, mask, scatter(digest))
        mark = int(marks[place]) if place >= 0 else 0
        # ── values that began before ──
        kept = 0
        for one in range(active):
            total = active_size[one] + length
            if total > LONGEST:
                rest, more = _lead(text, begin, is_json, table, base, LONGEST - active_size[one])
                hit = find(keys, mask, scatter(active_hash[one] * powers[more] + rest))
                if hit >= 0 and marks[hit] & 1:
                    ends[count], places[count], days[count] = at, hit, 0
                    count += 1
                continue
            joined = active_hash[one] * powers[length] + digest
            active_hash[kept], active_size[kept] = joined, total
            kept += 1
            hit = find(keys, mask, scatter(joined))
            if hit >= 0 and marks[hit] & 1:
                ends[count], places[count], days[count] = at, hit, 0
                count += 1
        active = kept
        if mark & 1:
            ends[count], places[count], days[count] = at, place, 0
            count += 1
        if mark & 2 and length < LONGEST:
            active_hash[active], active_size[active] = digest, length
            active += 1
        # ── groups of digits ──
        month = (mark >> 2) & 15
        is_day_number = lead > 0 and (
            is_number
            # 02T10:…, 2nd, 3rd, 4th
            or (lead == 2 and after_digits == 116)
            or (
                lead <= 2 and length == lead + 2 and (after_digits == 115 or after_digits == 110 or after_digits == 114)
            )
            or (lead == 1 and length == 3 and after_digits == 116)
        )
        if not is_day_number and month == 0:
            # `of`, `the` may stand between; not a property's name, such as the `"end"` of a period
            if length > 3 or (at < size and text[at] == 34):
                groups = 0
            digit_groups = 0
            continue
        if groups == _RING:
            for one in range(1, _RING):
                ring_hash[one - 1] = ring_hash[one]
                for part in range(3):
                    ring[3 * one - 3 + part] = ring[3 * one + part]
            groups -= 1
        ring_hash[groups] = digest
        ring[3 * groups], ring[3 * groups + 1], ring[3 * groups + 2] = lead, value, month
        groups += 1
        digit_groups = min(digit_groups + 1, groups) if is_number else 0
        if is_number:
            joined, total, weight = np.uint64(0), 0, 0
            for back in range(digit_groups):
                one = groups - 1 - back
                if ring[3 * one] > 20 or total + ring[3 * one] > 20:
                    break
                joined = ring_hash[one] * powers[total] + joined
                total += ring[3 * one]
                if back > 0 and total >= 7:
                    hit = find(keys, mask, scatter(joined))
                    if hit >= 0 and marks[hit] & 1:
                        ends[count], places[count], days[count] = at, hit, 0
                        count += 1
                weight = one
            if total == 11 and lead == 11 and weight == groups - 1 and value // 10000000 == 1:
                hit = find(keys, mask, scatter(joined - np.uint64(49) * powers[10]))
                if hit >= 0 and marks[hit] & 1:
                    ends[count], places[count], days[count] = at, hit, 0
                    count += 1
        # ── days ──
        for form in range(6):
            year, found_month, day = 0, 0, 0
            if form == 0:
                if is_number and lead == 8:
                    year, found_month, day = value // 10000, value // 100 % 100, value % 100
            elif form == 1:
                if is_number and lead == 8:
                    year, found_month, day = value % 10000, value // 1000000, value // 10000 % 100
            elif groups >= 3:
                a, b, c = 3 * groups - 9, 3 * groups - 6, 3 * groups - 3
                if form == 2 and ring[a] == 4 and 1 <= ring[b] <= 2 and 1 <= ring[c] <= 2:
                    year, found_month, day = ring[a + 1], ring[b + 1], ring[c + 1]
                elif 1 <= ring[a] <= 2 and 1 <= ring[b] <= 2 and (ring[c] == 4 or ring[c] == 2):
                    year = ring[c + 1]
                    if ring[c] == 2:
                        year += 2000 if year < 27 else 1900
                    if form == 3:
                        found_month, day = ring[a + 1], ring[b + 1]
                    elif form == 4:
                        found_month, day = ring[b + 1], ring[a + 1]
                elif form == 5 and ring[c] == 4:
                    year = ring[c + 1]
                    if ring[a + 2] > 0 and 1 <= ring[b] <= 2:
                        found_month, day = ring[a + 2], ring[b + 1]
                    elif ring[b + 2] > 0 and 1 <= ring[a] <= 2:
                        found_month, day = ring[b + 2], ring[a + 1]
            if _is_day(year, found_month, day):
                number = year * 10000 + found_month * 100 + day
                hit = find(keys, mask, day_key(number))
                if hit >= 0 and marks[hit] & 1:
                    ends[count], places[count], days[count] = at, hit, number
                    count += 1
    return count
