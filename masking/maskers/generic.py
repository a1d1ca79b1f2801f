"""Maskers that do not ask what a value means: keep, redact, constant, substitute and shuffle_within."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from masking.errors import ParameterError
from masking.keys import hmac_parts
from masking.maskers.base import BoundMasker, Masker, Subkeys, check, per_value, register

#: Characters of a keyed hash that stands for a value which `substitute` has no pair for: 128 bits.
_HASH_LENGTH = 32


def _utf8(text: str) -> bytes:
    """The bytes that are keyed; JSON can spell lone surrogates, and no text is refused for one."""
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Same(BoundMasker):
    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return list(values)


@dataclass(frozen=True)
class _Always(BoundMasker):
    always: str | None

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self.always] * len(values)


@register
@dataclass(frozen=True)
class Keep(Masker):
    """The value as it stands. Keyless."""

    name: ClassVar[str] = "keep"

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _Same()


@register
@dataclass(frozen=True)
class Redact(Masker):
    """No value, or a placeholder. Keyless.

    Without `placeholder` every value becomes null: the document engine removes the element, or puts a
    data-absent-reason extension where R4 demands a value. An empty placeholder is refused: FHIR has no empty strings.
    """

    name: ClassVar[str] = "redact"
    placeholder: str | None = None

    def __post_init__(self) -> None:
        if self.placeholder is not None:
            _check_text("placeholder", self.placeholder, "leave it out to remove the value")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _Always(self.placeholder)


@register
@dataclass(frozen=True)
class Constant(Masker):
    """The same text for every value; for a number, the number's text (`'0'`). Keyless."""

    name: ClassVar[str] = "constant"
    value: str

    def __post_init__(self) -> None:
        _check_text("value", self.value, "use redact to remove the value")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _Always(self.value)


def _check_text(parameter: str, text: object, hint: str) -> None:
    check(isinstance(text, str), parameter, "is not text", "put it in quotes")
    check(text != "", parameter, "is empty, and FHIR has no empty strings", hint)


@dataclass(frozen=True)
class _BoundSubstitute(BoundMasker):
    key: bytes = field(repr=False)
    table: Mapping[bytes, str] = field(repr=False)
    hashed: bool

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return per_value(self._one, values)

    def _one(self, value: str) -> str | None:
        digest = hmac_parts(self.key, _utf8(value))
        return self.table.get(digest, digest.hex()[:_HASH_LENGTH] if self.hashed else None)


@register
@dataclass(frozen=True)
class Substitute(Masker):
    """Each value's replacement from a CSV file (UTF-8) whose first line is `source,replacement`.

    The file is read on the driver alone: where the spec is made, so that a policy with a bad file is none, and where it
    is bound. Workers get the replacements by the keyed digest of their source, never the sources. A value that the
    file does not name becomes null (`default: redact`) or 32 hex digits of its keyed digest (`default: hash`). Raises
    ParameterError with the file's line, never with what it holds.
    """

    name: ClassVar[str] = "substitute"
    file: str
    default: str = "redact"

    def __post_init__(self) -> None:
        _check_text("file", self.file, "name a CSV file")
        check(self.default in ("redact", "hash"), "default", "is neither 'redact' nor 'hash'")
        _pairs(self.file)  # checked and let go: the spec travels to workers, and the sources do not

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Read the file; its sources are keyed under the purpose `substitute`."""
        key = keys.subkey("substitute")
        table = {hmac_parts(key, _utf8(source)): replacement for source, replacement in _pairs(self.file).items()}
        return _BoundSubstitute(key, table, self.default == "hash")


def _read(file: str) -> str:
    """The text of a small UTF-8 file, with or without a byte order mark."""
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ParameterError("file", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ParameterError("file", f"line {line} is not UTF-8", "save the file as UTF-8") from None


def _pairs(file: str) -> dict[str, str]:
    """The pairs of a `source,replacement` file; an error names the line on which the wrong row ends."""
    reader = csv.reader(io.StringIO(_read(file)), strict=True)
    pairs: dict[str, str] = {}
    try:
        check(next(reader, []) == ["source", "replacement"], "file", "line 1 does not read 'source,replacement'")
        for row in reader:
            if not row:
                continue
            line = f"line {reader.line_num}"
            check(len(row) == 2, "file", f"{line} has {len(row)} columns, not 2", "quote a value that holds a comma")
            check("" not in row, "file", f"{line} has an empty column")
            check(row[0] not in pairs, "file", f"{line} repeats a source of an earlier line")
            pairs[row[0]] = row[1]
    except csv.Error:
        # The module's own text may quote the row.
        raise ParameterError("file", f"line {reader.line_num} is not CSV", "check its quotes") from None
    return pairs


@dataclass(frozen=True)
class _BoundShuffle(BoundMasker):
    table: Mapping[str, str] = field(repr=False)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return per_value(self.table.get, values)


@register
@dataclass(frozen=True)
class ShuffleWithin(Masker):
    """Another member of a declared pool, by a keyed permutation; a value outside the pool becomes null.

    The pool is declared in place (`pool`) or in a UTF-8 file, one member a line (`file`); its order does not matter.
    Different members get different ones, and none gets itself: the pool is put on a ring in keyed order, and each
    member becomes the next. A pool of one is refused, for it would pass its only value.
    """

    name: ClassVar[str] = "shuffle_within"
    pool: tuple[str, ...] = ()
    file: str | None = None

    def __post_init__(self) -> None:
        check(bool(self.pool) != bool(self.file), "pool", "give either a pool or a file that holds one")
        check(not isinstance(self.pool, str), "pool", "is one text, not a list of texts")
        # YAML gives a list; a frozen spec holds a tuple.
        object.__setattr__(self, "pool", tuple(self.pool))
        if self.pool:
            _check_pool("pool", self.pool, lambda index: f"member {index + 1}")
        elif self.file:
            _pool(self.file)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Read the file, if there is one; the ring is keyed under the purpose `shuffle_within`."""
        pool: Sequence[str] = self.pool
        if self.file:
            pool = _pool(self.file)
        key = keys.subkey("shuffle_within")
        ring = sorted(pool, key=lambda member: hmac_parts(key, _utf8(member)))
        return _BoundShuffle(dict(zip(ring, ring[1:] + ring[:1], strict=True)))


def _pool(file: str) -> list[str]:
    """The members in a file, one a line."""
    pool = _read(file).removesuffix("\n").split("\n")
    _check_pool("file", pool, lambda index: f"line {index + 1}")
    return pool


def _check_pool(parameter: str, pool: Sequence[str], place: Callable[[int], str]) -> None:
    seen: set[str] = set()
    for index, member in enumerate(pool):
        check(isinstance(member, str), parameter, f"{place(index)} is not text", "put it in quotes")
        check(member != "", parameter, f"{place(index)} is empty")
        check(member not in seen, parameter, f"{place(index)} repeats an earlier one")
        seen.add(member)
    check(len(seen) >= 2, parameter, "holds fewer than two members: its only value would pass unmasked")
