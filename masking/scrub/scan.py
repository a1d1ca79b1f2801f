"""One pass over the characters of a batch: which words are of the dossier, which are numbers, labels, months or links."""

from __future__ import annotations

import numpy as np

from masking.native import Points, borrowing
from masking.scrub.batch import AT, HEX, LINK, NUMBER, REFERENCE, ROW, WORDS, Lexicon, Texts, Tokens
from masking.scrub.characters import class_of
from masking.scrub.lookup import find, get, hash_of, phrase, word_end
from masking.scrub.sift import case_of, has_initial, is_apart, is_initial_behind, sift, starts_hex


@borrowing
def _word(points: Points, at: int, stop: int, lexicon: Lexicon) -> tuple[int, np.uint64, bool]:
    """Where the word at `at` ends, its hash, and whether digits are in it."""
    classes, folds = lexicon.classes, lexicon.folds
    digest = np.uint64(0xCBF29CE484222325)
    point = points[at]
    if point >= 0x3000 and class_of(point, classes) == 3:
        return at + 1, (digest ^ np.uint64(point)) * np.uint64(0x100000001B3), False
    has_digit = False
    end = at
    while end < stop:
        point = points[end]
        kind = classes[point] if point < 0x3000 else class_of(point, classes)
        if kind == 1:
            digest = (digest ^ np.uint64(folds[point])) * np.uint64(0x100000001B3)
        elif kind == 2:
            has_digit = True
            digest = (digest ^ np.uint64(point)) * np.uint64(0x100000001B3)
        elif kind != 4:
            if point != 39 and point != 0x2019 and point != 0x2BC:
                break
            whole = word_end(points, at, stop, classes)
            digest = hash_of(points, end, whole, digest, classes, folds)
            for place in range(end, whole):
                if 48 <= points[place] <= 57:
                    has_digit = True
            return whole, digest, has_digit
        end += 1
    return end, digest, has_digit


@borrowing
def _ends_type(points: Points, at: int, begin: int) -> bool:
    """Whether a word such as a resource type's ends here: a capital and three small letters or more."""
    start = at
    while start > begin and at - start < 40 and (97 <= points[start - 1] | 32 <= 122):
        start -= 1
    if at - start < 4 or not 65 <= points[start] <= 90 or not 97 <= points[at - 1] <= 122:
        return False
    return start == begin or not 48 <= points[start - 1] <= 57


@borrowing
def _is_domain(points: Points, at: int, stop: int) -> bool:
    """Whether `.com`, `.org`, `.net` or `.edu` stands here, and ends a host's name."""
    if at + 3 >= stop or not (97 <= points[at - 1] | 32 <= 122 or 48 <= points[at - 1] <= 57):
        return False
    if at + 4 < stop and (97 <= points[at + 4] | 32 <= 122 or 48 <= points[at + 4] <= 57 or points[at + 4] == 64):
        return False
    first, second, third = points[at + 1] | 32, points[at + 2] | 32, points[at + 3] | 32
    if first == 99:
        return bool(second == 111 and third == 109)
    if first == 111:
        return bool(second == 114 and third == 103)
    return bool((first == 110 and second == 101 and third == 116) or (first == 101 and second == 100 and third == 117))


@borrowing
def _mark(points: Points, at: int, begin: int, stop: int) -> int:
    """The code of what links stand around: '@', '(at)', '://' or '.com', or the slash of a reference; 0 where there is none."""
    point = points[at]
    if point == 64:
        return AT
    if point == 58 and at + 2 < stop and points[at + 1] == 47 and points[at + 2] == 47:
        return LINK
    if point == 46 and at - begin >= 2 and _is_domain(points, at, stop):
        return LINK
    if (
        point == 40
        and at + 4 < stop
        and points[at + 1] | 32 == 97
        and points[at + 2] | 32 == 116
        and points[at + 3] == 41
    ):
        return AT
    if (
        point == 47
        and at + 1 < stop
        and (48 <= points[at + 1] <= 57 or 97 <= points[at + 1] | 32 <= 122)
        and _ends_type(points, at, begin)
    ):
        return REFERENCE
    return 0


@borrowing
def _named(
    texts: Texts, lexicon: Lexicon, text: int, at: int, end: int, digest: np.uint64, has_digit: bool
) -> tuple[int, int]:
    """The entry and flags of the dossier that begins at a word, and where it ends; -1 where there is none."""
    points, rows, stop = texts.points, texts.rows, texts.bounds[text + 1]
    first, count, longest = int(rows[ROW * text]), int(rows[ROW * text + 1]), int(rows[ROW * text + 2])
    # 'XW 354 246 398' begins with a short word that is none of the dossier's
    if not has_digit and not (
        end - at <= 4 and end + 1 < stop and 48 <= points[end + 1] <= 57 and (points[end] == 32 or points[end] == 45)
    ):
        found = find(lexicon, first, count, digest)
        if found == -1 or not found & 2:
            return found, end
    return phrase(points, at, stop, lexicon, first, count, longest)


@borrowing
def _put(tokens: Tokens, size: int, start: int, stop: int, code: int, hint: int) -> int:
    """Put a token; returns the new size."""
    tokens.starts[size], tokens.stops[size], tokens.codes[size], tokens.hints[size] = start, stop, code, hint
    return size + 1


@borrowing
def _put_word(texts: Texts, lexicon: Lexicon, tokens: Tokens, size: int, text: int, at: int) -> tuple[int, int]:
    """Put the tokens of the word at `at`; returns where it ends and the new size."""
    points, begin, stop = texts.points, texts.bounds[text], texts.bounds[text + 1]
    end, digest, has_digit = _word(points, at, stop, lexicon)
    entry, entry_end = _named(texts, lexicon, text, at, end, digest, has_digit)
    if entry < 0 and has_digit and points[at] < 0x3000 and lexicon.classes[points[at]] == 1:
        # 'MRN12345': the number that a label is glued to
        place = at
        while place < end and not 48 <= points[place] <= 57:
            place += 1
        glued, glued_end = _named(texts, lexicon, text, place, end, digest, True)
        if glued >= 0 and is_apart(points, place, glued_end, begin, stop):
            size = _put(tokens, size, place - begin, glued_end - begin, glued >> 3, 0)
    if entry >= 0 and not (has_digit and not is_apart(points, at, entry_end, begin, stop)):
        hint = 0
        if entry & 4 and not has_initial(points, at, begin, lexicon.classes):
            if not is_initial_behind(points, entry_end, stop, lexicon.classes):
                hint = case_of(points, at, entry_end)
        size = _put(tokens, size, at - begin, entry_end - begin, entry >> 3, hint)
    if has_digit:
        return end, _put(tokens, size, at - begin, end - begin, NUMBER, 0)
    word = get(lexicon.word_keys, lexicon.word_values, 0, len(lexicon.word_keys) - 1, digest)
    if word != -1:
        size = _put(tokens, size, at - begin, end - begin, WORDS - (word >> 3), 0)
    elif end - at <= 8 and starts_hex(points, at, end, stop):
        size = _put(tokens, size, at - begin, end - begin, HEX, 0)
    return end, size


@borrowing
def scan(texts: Texts, lexicon: Lexicon, tokens: Tokens) -> int:
    """Find the tokens that matter; returns their number. Each column of `tokens` has two places a character."""
    points, classes = texts.points, lexicon.classes
    size = 0
    for text in range(len(texts.bounds) - 1):
        begin, stop = texts.bounds[text], texts.bounds[text + 1]
        first = size
        tokens.bounds[text] = first
        at = int(begin)
        while at < stop:
            point = points[at]
            kind = classes[point] if point < 0x3000 else class_of(point, classes)
            if kind == 0 or kind == 4:
                code = _mark(points, at, begin, stop)
                if code:
                    size = _put(tokens, size, at - begin, at - begin + 1, code, 0)
                at += 1
            else:
                at, size = _put_word(texts, lexicon, tokens, size, text, at)
        size = sift(texts, lexicon, tokens, text, first, size)
    tokens.bounds[len(texts.bounds) - 1] = size
    return size
