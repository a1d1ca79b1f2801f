"""FF1 format-preserving encryption (NIST SP 800-38G, and the domain rule of its Rev. 1), vectorized with numpy.

A value is a row of numerals below the radix; a tweak is any bytes, one for all values or one for each. Rounds run over
whole columns: one AES call a round for thousands of values. A half of up to 56 bits is computed in uint64, a wider one
in Python's integers with the same code. Work goes in chunks, so memory beyond input and output stays at a few
megabytes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.keys import aes_blocks

MIN_DOMAIN = 1_000_000  # SP 800-38G Rev. 1, 5.1: radix ** minlen; attacks on smaller domains are practical
_ROUNDS = 10
_NARROW_BITS = 56  # the round number shares a 64-bit word with the half, so 8 bits must be free
_WORD = 1 << 64
_CHUNK = 1 << 13  # values: the columns of a round then stay in a core's cache

_BIG = np.dtype(">u8")  # how AES blocks spell a word, on any machine

Numerals = npt.NDArray[np.uint16]  # (values, length)
Integers = npt.NDArray[Any]  # (values,): uint64, or Python ints where `_Layout.narrow` is false
Words = npt.NDArray[np.uint64]  # (values, 2): AES blocks as two raw big-endian words, never byte-swapped as a whole
Tweaks = bytes | Sequence[bytes]


class DomainError(ValueError):
    """The values are too few, too short, or out of range for FF1; the text names sizes, never a value."""


def domain_size(radix: int, length: int) -> int:
    """The number of values of this form; `DomainError` if it is below a million, which FF1 must not be used on."""
    size: int = radix**length
    if length < 2 or size < MIN_DOMAIN:
        raise DomainError(f"{length} numerals of radix {radix} make {size} values; FF1 needs {MIN_DOMAIN} or more")
    return size


@dataclass(frozen=True, slots=True)
class FF1:
    """FF1 under one AES key (16, 24 or 32 bytes) and one radix (2 to 65,536). Picklable; holds no cipher state."""

    key: bytes = field(repr=False)
    radix: int

    def __post_init__(self) -> None:
        if len(self.key) not in (16, 24, 32):
            raise ValueError("an AES key has 16, 24 or 32 bytes")
        if not 2 <= self.radix <= 65536:
            raise DomainError(f"radix {self.radix} is not between 2 and 65536")

    def encrypt(self, values: Sequence[Sequence[int] | Numerals], tweaks: Tweaks = b"") -> list[Numerals]:
        """Encrypt rows of numerals, of any mix of lengths; each keeps its length."""
        return self._rows(values, tweaks, inverse=False)

    def decrypt(self, values: Sequence[Sequence[int] | Numerals], tweaks: Tweaks = b"") -> list[Numerals]:
        """Undo `encrypt` under the same tweaks."""
        return self._rows(values, tweaks, inverse=True)

    def encrypt_matrix(self, numerals: npt.ArrayLike, tweaks: Tweaks = b"", *, inverse: bool = False) -> Numerals:
        """Encrypt (or decrypt) a (values, length) matrix; the answer has its shape."""
        matrix = np.asarray(numerals)
        count, length = matrix.shape
        domain_size(self.radix, length)
        if count and (int(matrix.min()) < 0 or int(matrix.max()) >= self.radix):
            raise DomainError(f"a numeral is out of range for radix {self.radix}")
        layout = _layout(self.radix, length)
        answer = np.empty((count, length), dtype=np.uint16)
        for part, own in _chunks(count, tweaks):
            left = _number(matrix[part, : layout.u], self.radix, layout.narrow)
            right = _number(matrix[part, layout.u :], self.radix, layout.narrow)
            left, right = self._permute_halves(left, right, layout, own, inverse)
            _spell(left, self.radix, answer[part, : layout.u])
            _spell(right, self.radix, answer[part, layout.u :])
        return answer

    def permute_numbers(
        self, numbers: Sequence[int], length: int, tweaks: Tweaks = b"", *, inverse: bool = False
    ) -> list[int]:
        """Encrypt values given as NUM_radix of their numerals, each below radix**length; the answer likewise."""
        size = domain_size(self.radix, length)
        if numbers and (min(numbers) < 0 or max(numbers) >= size):
            raise DomainError(f"a number is out of range for {length} numerals of radix {self.radix}")
        layout = _layout(self.radix, length)
        kind: type[Any] = np.uint64 if layout.narrow else object
        modulus = np.uint64(layout.moduli[1]) if size <= _WORD else int(layout.moduli[1])
        answer: list[int] = []
        for part, own in _chunks(len(numbers), tweaks):
            whole = np.array(numbers[part], dtype=np.uint64 if size <= _WORD else object)
            left, right = (whole // modulus).astype(kind), (whole % modulus).astype(kind)
            left, right = self._permute_halves(left, right, layout, own, inverse)
            answer += (left.astype(whole.dtype) * modulus + right.astype(whole.dtype)).tolist()
        return answer

    def _permute_halves(
        self, left: Integers, right: Integers, layout: _Layout, tweaks: Tweaks, inverse: bool
    ) -> tuple[Integers, Integers]:
        """Algorithms 7 and 8, steps 6: ten rounds over the columns of left and right halves."""
        ecb = _ecb(self.key)
        heads = _heads(ecb, layout, tweaks)
        mac = _narrow_mac(self.key, layout, heads, len(left)) if layout.narrow else _wide_mac(ecb, layout, heads)
        # Decryption is the same ladder with the halves' parts exchanged, the rounds counted down and y subtracted.
        a, b = (right, left) if inverse else (left, right)
        for turn in reversed(range(_ROUNDS)) if inverse else range(_ROUNDS):
            modulus = layout.moduli[turn % 2]
            y = mac(turn, b, modulus)
            total = a + (modulus - y if inverse else y)
            # Below 2 * modulus, so one subtraction reduces it; in uint64 a small total wraps round to a huge one.
            a, b = b, np.minimum(total, total - modulus) if layout.narrow else total % int(modulus)
        return (b, a) if inverse else (a, b)

    def _rows(self, values: Sequence[Sequence[int] | Numerals], tweaks: Tweaks, inverse: bool) -> list[Numerals]:
        answer: list[Numerals] = [np.empty(0, dtype=np.uint16)] * len(values)
        for places in by_length(values):
            own = tweaks if isinstance(tweaks, bytes) else [tweaks[place] for place in places]
            matrix = np.array([values[place] for place in places])
            for place, row in zip(places, self.encrypt_matrix(matrix, own, inverse=inverse), strict=True):
                answer[place] = row
        return answer


@dataclass(frozen=True, slots=True)
class _Layout:
    """What FF1 derives from radix and length alone (SP 800-38G, algorithm 7, steps 1 to 5)."""

    radix: int
    length: int
    u: int  # numerals in the left half
    moduli: tuple[Any, Any]  # radix**u for even rounds, radix**v for odd ones
    b: int  # bytes of a half in the PRF's input
    d: int  # bytes of the PRF's output
    tail: int  # blocks of the PRF's input that change from round to round
    narrow: bool  # a half and the round number fit a 64-bit word


@functools.lru_cache(maxsize=4096)
def _layout(radix: int, length: int) -> _Layout:
    u = length // 2
    v = length - u
    bits = (radix**v - 1).bit_length()  # = ceil(v * log2(radix)), without the rounding of logarithms
    b = (bits + 7) // 8
    narrow = bits <= _NARROW_BITS
    moduli = (np.uint64(radix**u), np.uint64(radix**v)) if narrow else (radix**u, radix**v)
    return _Layout(radix, length, u, moduli, b, 4 * math.ceil(b / 4) + 4, (b + 16) // 16, narrow)


Ecb = Callable[[npt.NDArray[Any]], Words]


def _ecb(key: bytes) -> Ecb:
    """AES over an (n, 2) array of words."""
    update = aes_blocks(key)

    def encrypt(blocks: npt.NDArray[Any]) -> Words:
        return np.frombuffer(update(blocks.data.cast("B")), dtype=np.uint64).reshape(-1, 2)

    return encrypt


def _heads(ecb: Ecb, layout: _Layout, tweaks: Tweaks) -> Words:
    """The CBC-MAC state before the first block that a round changes, with that block's fixed bytes in it: (n or 1, 2).

    P and most of the tweak are the same in all ten rounds, so they are enciphered once a tweak and not once a round.
    """
    if isinstance(tweaks, bytes):
        return _heads_of_length(ecb, layout, [tweaks])
    distinct = list(dict.fromkeys(tweaks))
    if len(distinct) == 1:
        return _heads_of_length(ecb, layout, distinct)
    codes = {tweak: code for code, tweak in enumerate(distinct)}
    table = np.empty((len(distinct), 2), dtype=np.uint64)
    for group in by_length(distinct):
        table[group] = _heads_of_length(ecb, layout, [distinct[place] for place in group])
    return table[[codes[tweak] for tweak in tweaks]]


def _heads_of_length(ecb: Ecb, layout: _Layout, tweaks: list[bytes]) -> Words:
    t = len(tweaks[0])
    p = bytes([1, 2, 1]) + layout.radix.to_bytes(3, "big") + bytes([10, layout.u % 256])
    p += layout.length.to_bytes(4, "big") + t.to_bytes(4, "big")
    padding = bytes((-t - layout.b - 1) % 16 + layout.b + 1)  # the last b + 1 bytes are the round's and the half's
    rows = np.frombuffer(b"".join(tweak + padding for tweak in tweaks), dtype=np.uint64)
    rows = rows.reshape(len(tweaks), -1, 2)
    state = ecb(np.frombuffer(p, dtype=np.uint64))
    fixed = rows.shape[1] - layout.tail
    for block in range(fixed):
        state = ecb(state ^ rows[:, block])
    return state ^ rows[:, fixed]


#: Steps 6.ii to 6.iv of a round: y for a column of halves, reduced by the modulus of the round.
Mac = Callable[[int, Integers, Any], Integers]


def _narrow_mac(key: bytes, layout: _Layout, heads: Words, count: int) -> Mac:
    """For where the round's input ends one block and its output is 8 or 12 bytes."""
    encrypt = aes_blocks(key)
    blocks = np.empty((count, 2), dtype=np.uint64)
    blocks[:, 0] = heads[:, 0]
    buffer, changing = blocks.data.cast("B"), blocks[:, 1].view(_BIG)
    head = heads[:, 1].view(_BIG).astype(np.uint64)

    def mac(turn: int, half: Integers, modulus: Any) -> Integers:
        changing[:] = half ^ (head ^ np.uint64(turn << 8 * layout.b))
        output = np.frombuffer(encrypt(buffer), dtype=_BIG)
        y = _remainder(output[::2].astype(np.uint64), modulus)
        if layout.d == 12:
            low = output[1::2].astype(np.uint64) >> np.uint64(32)
            # Append the low 32 bits a few at a time: y < modulus, so y << step stays below 2**64.
            step = min(32, 64 - int(modulus).bit_length())
            left = 32
            while left:
                step = min(step, left)
                left -= step
                piece = (low >> np.uint64(left)) & np.uint64((1 << step) - 1)
                y = _remainder((y << np.uint64(step)) | piece, modulus)
        return y

    return mac


def _wide_mac(ecb: Ecb, layout: _Layout, heads: Words) -> Mac:
    """For halves of any width, in Python's integers."""
    size = 16 * layout.tail

    def mac(turn: int, half: Integers, modulus: Any) -> Integers:
        flag = turn << 8 * layout.b
        joined = b"".join((flag | number).to_bytes(size, "big") for number in half.tolist())
        rows = np.frombuffer(joined, dtype=np.uint64).reshape(len(half), layout.tail, 2)
        state = ecb(heads ^ rows[:, 0])
        for block in range(1, layout.tail):
            state = ecb(state ^ rows[:, block])
        parts = [state]
        for counter in range(1, math.ceil(layout.d / 16)):
            parts.append(ecb(state ^ np.frombuffer(counter.to_bytes(16, "big"), dtype=np.uint64)))
        output = np.hstack(parts).tobytes()
        stride = 16 * len(parts)
        numbers = np.empty(len(half), dtype=object)
        numbers[:] = [
            int.from_bytes(output[start : start + layout.d], "big") % int(modulus)
            for start in range(0, len(output), stride)
        ]
        return numbers

    return mac


def _remainder(numbers: Integers, modulus: np.uint64) -> Integers:
    """numbers % modulus; by quotient, because numpy divides by a constant in SIMD but takes remainders one by one."""
    rest: Integers = numbers - numbers // modulus * modulus
    return rest


def _number(numerals: npt.NDArray[Any], radix: int, narrow: bool) -> Integers:
    """NUM_radix of each row."""
    kind: type[Any] = np.uint64 if narrow else object
    total = np.zeros(len(numerals), dtype=kind)
    base = np.uint64(radix) if narrow else radix
    for column in numerals.T:
        total = total * base + column.astype(kind)
    return total


def _spell(numbers: Integers, radix: int, numerals: npt.NDArray[np.uint16]) -> None:
    """STR_radix of each number, into the rows of `numerals`."""
    base = np.uint64(radix) if numbers.dtype == np.uint64 else radix
    for place in reversed(range(numerals.shape[1])):
        quotient = numbers // base
        numerals[:, place] = numbers - quotient * base
        numbers = quotient


def _chunks(count: int, tweaks: Tweaks) -> Iterator[tuple[slice, Tweaks]]:
    if not isinstance(tweaks, bytes) and len(tweaks) != count:
        raise ValueError(f"{len(tweaks)} tweaks for {count} values")
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        yield part, tweaks if isinstance(tweaks, bytes) else tweaks[part]


def by_length(values: Sequence[Any]) -> list[Sequence[int]]:
    """The places of the values of each length, in order of first appearance."""
    if len(set(map(len, values))) == 1:
        return [range(len(values))]
    groups: dict[int, list[int]] = {}
    for place, value in enumerate(values):
        groups.setdefault(len(value), []).append(place)
    return list(groups.values())
