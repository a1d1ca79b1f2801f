"""Keyed choice: from a key and what a value is, to numbers nobody can foresee without the key.

A draw takes 64 bits modulo the size of the pool. A pool of n entries is then off uniform by at most n / 2**64 per entry
(for the largest pool here, about 30,000 places: under 2e-15), far below what any amount of data could show.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b
from string import ascii_letters

_WORDS = struct.Struct(">4Q").unpack

#: Four independent 64-bit numbers.
Words = tuple[int, int, int, int]


def keyed_bytes(key: bytes, *parts: str) -> bytes:
    """32 bytes keyed by the parts: keyed BLAKE2b (RFC 7693), which takes half of the time of HMAC-SHA-256 for a name.

    Each part stands behind its length, so ('ab', 'c') and ('a', 'bc') give unrelated bytes. Lone surrogates (JSON can
    spell them) are encoded as they stand: no text is refused.
    """
    framed = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(framed.encode("utf-8", "surrogatepass"), key=key, digest_size=32).digest()


def words(key: bytes, *parts: str) -> Words:
    """The keyed bytes as four 64-bit numbers."""
    numbers: Words = _WORDS(keyed_bytes(key, *parts))
    return numbers


def pick(pool: Sequence[str], numbers: Words, avoid: str = "") -> str:
    """The first entry of the keyed sequence that does not equal `avoid` (case-folded); the pool needs two entries."""
    size = len(pool)
    for number in numbers:
        chosen = pool[number % size]
        if chosen.casefold() != avoid:
            return chosen
    # Only if all four draws hit the one entry to avoid: its neighbour, which differs since pools hold no doubles.
    return pool[(numbers[0] + 1) % size]


def digits(number: int, count: int) -> str:
    """`count` decimal digits (at most 18) of a 64-bit number."""
    return f"{number % 10**count:0{count}d}" if count else ""


def reshape(text: str, key: bytes, *parts: str) -> str:
    """Keyed text of the same shape: digits for digits, ASCII letters for letters of their case, the rest stays."""
    out = []
    stream: list[int] = []
    block = 0
    for character in text:
        if not stream:
            stream = list(keyed_bytes(key, *parts, str(block)))
            block += 1
        if character.isdigit():
            out.append(str(stream.pop() % 10))
        elif character.isalpha():
            letter = chr(ord("a") + stream.pop() % 26)
            out.append(letter.upper() if character.isupper() else letter)
        else:
            out.append(character)
    return "".join(out)


def other_shape(text: str, key: bytes, *parts: str) -> str:
    """Like `reshape`, but never the text itself if it holds an ASCII digit or letter (chance would, in a short one)."""
    for attempt in range(8):
        fake = reshape(text, key, *parts, text, str(attempt))
        # 'Apt 0' would look made up; a leading zero comes only where the source has one.
        if fake != text and (fake[:1] != "0" or text[:1] == "0"):
            return fake
    return text.translate(_NEXT)


_NEXT = str.maketrans("0123456789" + ascii_letters, "1234567890" + ascii_letters[1:] + "a")
