"""Keyed permutations of texts that keep their form: FF1 on alphabets, on ranges of integers, and on shapes (`AB-1234`).

Three layers, each a permutation under (key, tweak), so that different values never meet: `encrypt_text` (one alphabet,
FF1 itself), `permute_range` (integers below any size of a million or more: FF1 of radix 2 on the bits, walked until it
falls below the size, which makes it a permutation of the range), and `ShapeCipher` (see there).
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from masking.ff1 import FF1, MIN_DOMAIN, DomainError, Tweaks, by_length
from masking.keys import encode_parts, prf_bytes

DIGITS = string.digits
LETTERS = string.ascii_lowercase
_CHUNK = 1 << 13
_HASH_LENGTH = 23  # symbols of a spelled-out hash; not 24, which is what a MongoDB ObjectId has
_HASH_BITS = 76  # of one in an alphabet of the caller's: as many as 23 digits have
_MAX_LENGTH = 256  # longer values are hashed: FF1 on them is slow, and no identifier is that long


@functools.lru_cache(maxsize=64)
def _table(symbols: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
    """Code point to numeral (-1 where it is none), and back."""
    points = np.frombuffer(symbols.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    if not 2 <= len(points) <= 65536 or len(set(symbols)) != len(symbols):
        raise DomainError("an alphabet has 2 to 65536 different symbols")
    lookup = np.full(int(points.max()) + 1, -1, dtype=np.int32)
    lookup[points] = np.arange(len(points), dtype=np.int32)
    return lookup, points.astype(np.uint32)


def to_numerals(values: Sequence[str], symbols: str) -> npt.NDArray[np.int32]:
    """A (values, length) matrix from texts of one length; `DomainError` for a symbol outside the alphabet."""
    lookup, _ = _table(symbols)
    points = np.frombuffer("".join(values).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    numerals: npt.NDArray[np.int32] = lookup[np.minimum(points, len(lookup) - 1)]
    if len(points) and (int(points.max()) >= len(lookup) or int(numerals.min()) < 0):
        raise DomainError("a value has a symbol outside its alphabet")
    return numerals.reshape(len(values), -1)


def to_texts(numerals: npt.NDArray[Any], symbols: str) -> list[str]:
    """The rows of a matrix of numerals as texts."""
    count, length = numerals.shape
    _, points = _table(symbols)
    joined = points[numerals].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return [joined[start : start + length] for start in range(0, count * length, length)]


def encrypt_text(
    key: bytes, symbols: str, values: Sequence[str], tweaks: Tweaks = b"", *, inverse: bool = False
) -> list[str]:
    """FF1 over an alphabet, mixed lengths in one call; radix = len(symbols). `DomainError` for too small a domain."""
    cipher = FF1(key, len(symbols))
    answer = [""] * len(values)
    for places in by_length(values):
        for start in range(0, len(places), _CHUNK):
            part = places[start : start + _CHUNK]
            own = tweaks if isinstance(tweaks, bytes) else [tweaks[place] for place in part]
            numerals = to_numerals([values[place] for place in part], symbols)
            texts = to_texts(cipher.encrypt_matrix(numerals, own, inverse=inverse), symbols)
            for place, text in zip(part, texts, strict=True):
                answer[place] = text
    return answer


def permute_range(
    key: bytes, values: Sequence[int], sizes: int | Sequence[int], tweaks: Tweaks = b"", *, inverse: bool = False
) -> list[int]:
    """A keyed permutation of range(size), each value in its own size; `DomainError` for a size below a million.

    FF1 of radix 2 on ceil(log2(size)) bits, applied again while the result is not below the size: twice on average at
    worst. Cycle walking keeps the cipher's strength (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
    """
    bounds = [sizes] * len(values) if isinstance(sizes, int) else list(sizes)
    if bounds and min(bounds) < MIN_DOMAIN:
        raise DomainError(f"a range is below {MIN_DOMAIN}, the least that FF1 may be used on")
    if any(not 0 <= value < size for value, size in zip(values, bounds, strict=True)):
        raise DomainError("a number is outside its range")
    cipher, answer = FF1(key, 2), list(values)
    widths: dict[int, list[int]] = {}
    for place, size in enumerate(bounds):
        widths.setdefault((size - 1).bit_length(), []).append(place)
    for bits, places in widths.items():
        pending = places
        while pending:
            own = tweaks if isinstance(tweaks, bytes) else [tweaks[place] for place in pending]
            numbers = cipher.permute_numbers([answer[place] for place in pending], bits, own, inverse=inverse)
            for place, number in zip(pending, numbers, strict=True):
                answer[place] = number
            pending = [place for place in pending if answer[place] >= bounds[place]]
    return answer


def spell_hash(key: bytes, values: Sequence[str], symbols: str, length: int, domain: str) -> list[str]:
    """A keyed hash of each text (BLAKE2b, 64 bytes) as `length` symbols; bias below 2**-100 for up to 400 bits."""
    size = len(symbols) ** length
    return [
        spell(int.from_bytes(digest, "big") % size, symbols, length) for digest in prf_bytes(key, values, domain, 64)
    ]


def spell(number: int, symbols: str, length: int) -> str:
    """A number in base len(symbols), padded to `length` symbols."""
    text = []
    for _ in range(length):
        number, place = divmod(number, len(symbols))
        text.append(symbols[place])
    return "".join(reversed(text))


_UPPER = string.ascii_uppercase
_SHAPES = str.maketrans(DIGITS + _UPPER + LETTERS, "0" * 10 + "A" * 26 + "a" * 26)
_NOT_ALPHANUMERIC = re.compile("[^0-9A-Za-z]+")
_MIXED = ""
#: By code of an ASCII character: how many there are of its class, and the first of them. Punctuation is alone in its.
_RADICES, _FIRSTS = np.ones(128, dtype=np.uint8), np.arange(128, dtype=np.uint8)
for _class in (DIGITS, _UPPER, LETTERS):
    _RADICES[list(_class.encode())], _FIRSTS[list(_class.encode())] = len(_class), ord(_class[0])
_WORD = 1 << 64


class _Read(NamedTuple):
    """A value taken apart: which alphabet its core is of, where the core stands, and how many values have the shape.

    A value of digits and letters (`_MIXED`) is its own core, punctuation and all.
    """

    symbols: str
    shape: str
    core: str
    size: int


@functools.lru_cache(maxsize=1 << 12)
def _read_shape(shape: str) -> tuple[str, int] | None:
    """The alphabet and the size of an ASCII shape; None where its values must be hashed."""
    digits, letters = shape.count("0"), shape.count("A") + shape.count("a")
    size = 10**digits * 26**letters
    is_hash = len(shape) == _HASH_LENGTH and (not shape.strip("0a") or not shape.strip("0A"))
    if size < MIN_DOMAIN or is_hash or not shape.isascii():
        return None
    return (_MIXED if digits and letters else DIGITS if digits else LETTERS), size


@dataclass(frozen=True, slots=True)
class ShapeCipher:
    """Values of any shape: a digit stays a digit, a letter a letter of its case, and all else stays in place.

    - The domain, the system and the shape are the tweak: each shape of each system has its own permutation. A result
      has the shape of its source; so results of different shapes differ, and those of one shape differ as in any
      permutation.
    - Digits alone: FF1 of radix 10. Letters alone: radix 26. Both: the value as one mixed-radix number in
      `permute_range`, so that the one letter of `A1234567` is as safe as its digits (class by class it would be a
      permutation of 26 letters, which tells nearly everything).
    - With `alphabet`, its symbols are one class (radix = its size) and only ASCII punctuation may stand between them.
    - **Hashed instead**: a value whose shape has fewer than a million values; one with a character outside ASCII (or,
      with `alphabet`, a letter or digit that is not in it); one over 256 characters; one that looks like such a hash
      itself. It becomes a keyed hash of 76 bits or more, spelled as 23 digits, or 23 digits and letters of its case,
      without punctuation: longer than it was, on purpose. A hash cannot meet another result, since a source of its
      form is hashed too; of a million hashes of digits, two meet with a chance of 1 in 10**11. A hash cannot be
      undone.
    - A permutation may leave a value as it is, with a chance of one in the number of values of its shape: at most 1e-6.
    """

    key: bytes = field(repr=False)
    hash_key: bytes = field(repr=False)
    domain: str = ""
    alphabet: str = ""

    def mask(self, values: Sequence[str], systems: Sequence[str | None], *, inverse: bool = False) -> list[str | None]:
        """The masked values; None for "" and, with `inverse`, for what was hashed."""
        answer: list[str | None] = [None] * len(values)
        groups: dict[str, list[int]] = {}
        reads: dict[int, _Read] = {}
        hashed: list[int] = []
        for place, value in enumerate(values):
            read = self._read(value)
            if read is not None:
                reads[place] = read
                groups.setdefault(read.symbols, []).append(place)
            elif value and not inverse:
                hashed.append(place)
        memo: dict[tuple[str | None, str], bytes] = {}
        for symbols, places in groups.items():
            own = [reads[place] for place in places]
            tweaks = [self._tweak(systems[place], read.shape, memo) for place, read in zip(places, own, strict=True)]
            permute = _permute_mixed if symbols == _MIXED else _permute_plain
            for place, text in zip(places, permute(self.key, own, tweaks, inverse), strict=True):
                answer[place] = text
        for place in hashed:
            answer[place] = self._hash(values[place], systems[place])
        return answer

    def _tweak(self, system: str | None, shape: str, memo: dict[tuple[str | None, str], bytes]) -> bytes:
        """16 bytes of (domain, system, shape): a fixed length keeps a mixed batch in one call."""
        tweak = memo.get((system, shape))
        if tweak is None:
            parts = (part.encode("utf-8", "surrogatepass") for part in (self.domain, system or "", shape))
            memo[system, shape] = tweak = hashlib.sha256(encode_parts(*parts)).digest()[:16]
        return tweak

    def _read(self, value: str) -> _Read | None:
        """The value taken apart, or None where it must be hashed."""
        if len(value) > _MAX_LENGTH:
            return None
        if self.alphabet:
            return self._read_alphabet(value)
        shape = value.translate(_SHAPES)
        found = _read_shape(shape)
        if found is None:
            return None
        symbols, size = found
        core = value if symbols == _MIXED or value.isalnum() else _NOT_ALPHANUMERIC.sub("", value)
        return _Read(symbols, shape, core.lower() if symbols == LETTERS else core, size)

    def _read_alphabet(self, value: str) -> _Read | None:
        shape = "".join("0" if symbol in self.alphabet else symbol for symbol in value)
        core = "".join(symbol for symbol in value if symbol in self.alphabet)
        rest = "".join(symbol for symbol in value if symbol not in self.alphabet)
        size = len(self.alphabet) ** len(core)
        is_hash = not rest and len(core) == self._form(value)[1]
        if size < MIN_DOMAIN or is_hash or not re.fullmatch(r"[\x20-/:-@\[-`{-~]*", rest):
            return None
        return _Read(self.alphabet, shape, core, size)

    def _form(self, value: str) -> tuple[str, int]:
        """The alphabet and length in which the hash of a value is spelled."""
        if self.alphabet:
            return self.alphabet, math.ceil(_HASH_BITS / math.log2(len(self.alphabet)))
        if value.isascii() and not any(map(str.isalpha, value)) and any(map(str.isdigit, value)):
            return DIGITS, _HASH_LENGTH
        return DIGITS + (LETTERS if any(map(str.islower, value)) else _UPPER), _HASH_LENGTH

    def _hash(self, value: str, system: str | None) -> str:
        symbols, length = self._form(value)
        # The system's length stands before it, so that (system, value) cannot be split in two ways.
        name = f"{len(self.domain)}:{self.domain}{len(system or '')}:{system or ''}"
        return spell_hash(self.hash_key, [value], symbols, length, name)[0]


def _permute_plain(key: bytes, reads: list[_Read], tweaks: list[bytes], inverse: bool) -> list[str]:
    cores = encrypt_text(key, reads[0].symbols, [read.core for read in reads], tweaks, inverse=inverse)
    return [_pour(core, read) for core, read in zip(cores, reads, strict=True)]


def _permute_mixed(key: bytes, reads: list[_Read], tweaks: list[bytes], inverse: bool) -> list[str]:
    answer = [""] * len(reads)
    numbers, sizes = [0] * len(reads), [read.size for read in reads]
    groups = by_length([read.core for read in reads])
    mixed = [_Mixed.read([reads[place] for place in places]) for places in groups]
    for places, group in zip(groups, mixed, strict=True):
        for place, number in zip(places, group.numbers(), strict=True):
            numbers[place] = number
    numbers = permute_range(key, numbers, sizes, tweaks, inverse=inverse)
    for places, group in zip(groups, mixed, strict=True):
        for place, text in zip(places, group.texts([numbers[place] for place in places]), strict=True):
            answer[place] = text
    return answer


class _Mixed(NamedTuple):
    """Values of one length as mixed-radix numbers. A row for each place in the text: numerals, and what they are of."""

    codes: npt.NDArray[np.uint8]
    firsts: npt.NDArray[np.uint8]
    radices: npt.NDArray[Any]  # uint64, or Python ints where a value is beyond that

    @classmethod
    def read(cls, reads: list[_Read]) -> _Mixed:
        joined = "".join([read.core for read in reads]).encode("ascii")
        codes = np.frombuffer(joined, dtype=np.uint8).reshape(len(reads), -1).T
        kind: type[Any] = np.uint64 if max(read.size for read in reads) <= _WORD else object
        return cls(codes, _FIRSTS[codes], _RADICES[codes].astype(kind))

    def numbers(self) -> list[int]:
        numerals = (self.codes - self.firsts).astype(self.radices.dtype)
        total = np.zeros_like(numerals[0])
        for radix, numeral in zip(self.radices, numerals, strict=True):
            total = total * radix + numeral
        numbers: list[int] = total.tolist()
        return numbers

    def texts(self, numbers: list[int]) -> list[str]:
        rest, codes = np.array(numbers, dtype=self.radices.dtype), self.firsts.copy()
        for row in reversed(range(len(codes))):
            quotient = rest // self.radices[row]
            codes[row] += (rest - quotient * self.radices[row]).astype(np.uint8)
            rest = quotient
        length, joined = len(codes), codes.T.tobytes().decode("ascii")
        return [joined[start : start + length] for start in range(0, len(joined), length)]


def _pour(core: str, read: _Read) -> str:
    """The new core into the old shape."""
    if len(core) == len(read.shape):
        if read.symbols != LETTERS or "A" not in read.shape:
            return core
        if "a" not in read.shape:
            return core.upper()
    slots = iter(core)
    if read.symbols != LETTERS:
        return "".join(next(slots) if mark == "0" else mark for mark in read.shape)
    return "".join(next(slots).upper() if mark == "A" else next(slots) if mark == "a" else mark for mark in read.shape)
