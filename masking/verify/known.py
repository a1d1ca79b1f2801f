"""What is known of the people of a source, as hashes: which values there are, of what kinds, and whose each is.

Three arrays and nothing readable: open-addressed values with their marks (`masking.verify.words`), open-addressed pairs of
a value and its owner, and other names of owners. At 16 bytes a value and 8 a pair, a million people of thirty values each
are about a gigabyte; arrays that lie on a local disk are mapped, so that all workers of a machine share one copy.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from masking.native import Hashes, Ints, Points, bytes_of, compiled
from masking.verify import letters, words
from masking.verify.kinds import Kind

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)


class Hashed(NamedTuple):
    """Texts as they are compared: the hash of each, that of its first word, and its length in letters and digits."""

    whole: Hashes
    first: Hashes
    sizes: Ints


def hashed(texts: Sequence[str]) -> Hashed:
    """Measure texts."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    bounds = np.zeros(len(parts) + 1, dtype=np.int32)
    np.cumsum([len(part) for part in parts], out=bounds[1:])
    found = Hashed(
        np.zeros(len(parts), np.uint64), np.zeros(len(parts), np.uint64), np.zeros(len(parts), dtype=np.int32)
    )
    words.measure(bytes_of(b"".join(parts)), bounds, letters.folds(), letters.powers(), *found)
    return found


def owner_key(name: str) -> int:
    """The number of an owner, or of another name of it, by name: `Patient/123`, `urn:uuid:…`."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") | 2


def day_key(day: int) -> int:
    """The hash of a day, given as YYYYMMDD."""
    return int(letters.day_key(day))


@dataclass(frozen=True, slots=True)
class Pieces:
    """What one task found. values and marks: hashes with theirs, not unique. pairs: a value, its owner, and its kinds.
    aliases: another name of an owner, and the owner.
    patients: those owners that are.
    """

    values: Hashes
    marks: Points
    pair_values: Hashes
    pair_owners: Hashes
    pair_kinds: Points
    aliases: Hashes
    owners: Hashes
    patients: Hashes

    def as_bytes(self) -> bytes:
        """For a file."""
        return pack({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def of_bytes(cls, content: bytes) -> Pieces:
        """Out of a file."""
        return cls(**unpack(content))


@dataclass(frozen=True, slots=True)
class Known:
    """The tables. pairs: hashes of a value with its owner. shares: of each place of `keys`, how many own its value."""

    keys: Hashes
    marks: Points
    shares: Points
    pairs: Hashes
    aliases: Hashes
    owners: Hashes
    #: sorted, as `aliases` are
    patients: Hashes
    #: distinct values of each kind (by the kind's bit number), and pairs of a value and an owner
    counts: Points
    pair_counts: Points
    humans: int

    def is_own(self, value: int, owner: int) -> bool:
        """Whether a value (its hash) is that owner's."""
        return bool(_holds(self.pairs, len(self.pairs) - 1, np.uint64(value), np.uint64(owner)))

    def owner(self, name: str) -> int:
        """The key of an owner by any of its names."""
        key = owner_key(name)
        at = int(np.searchsorted(self.aliases, np.uint64(key)))
        return int(self.owners[at]) if at < len(self.aliases) and self.aliases[at] == key else key

    def is_patient(self, owner: int) -> bool:
        """Whether an owner is a Patient of the source."""
        at = int(np.searchsorted(self.patients, np.uint64(owner)))
        return at < len(self.patients) and bool(self.patients[at] == owner)

    @property
    def bytes(self) -> int:
        """In memory."""
        return sum(getattr(self, name).nbytes for name in _ARRAYS)


_ARRAYS = ("keys", "marks", "shares", "pairs", "aliases", "owners", "patients", "counts", "pair_counts")


@compiled
def _holds(pairs: Hashes, mask: int, value: np.uint64, owner: np.uint64) -> int:
    return 1 if words.find(pairs, mask, letters.pair_of(value, owner)) >= 0 else 0


@compiled
def owned(
    pairs: Hashes, mask: int, values: Hashes, documents: Ints, bounds: Ints, people: Hashes, answers: Hashes
) -> None:
    """Of each find, one of the people of its document whose value it is; 0 where it is none of theirs.

    people: those of document i from bounds[i] to bounds[i + 1].
    """
    for one in range(len(values)):
        answers[one] = np.uint64(0)
        for who in range(bounds[documents[one]], bounds[documents[one] + 1]):
            if words.find(pairs, mask, letters.pair_of(values[one], people[who])) >= 0:
                answers[one] = people[who]
                break


@compiled
def _pair_all(values: Hashes, owners: Hashes, made: Hashes) -> None:
    for one in range(len(values)):
        made[one] = letters.pair_of(values[one], owners[one])


@compiled
def _share(keys: Hashes, mask: int, values: Hashes, shares: Points) -> None:
    for one in range(len(values)):
        place = words.find(keys, mask, values[one])
        if place >= 0:
            shares[place] += 1


def table_size(count: int) -> int:
    """Places for so many entries: a power of two, at most half full."""
    return 1 << max(6, (2 * count).bit_length())


def joined(parts: Sequence[Pieces]) -> Known:
    """The tables of all tasks' pieces."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0, np.uint64)

    values, marks = column("values"), column("marks").astype(np.uint32)
    months = hashed([name for full in _MONTHS for name in (full, full[:3])]).whole
    numbers = np.repeat(np.arange(1, 13), 2).astype(np.uint32) << np.uint32(words.MONTH_SHIFT)
    size = table_size(len(np.unique(values)) + len(months))
    keys, table_marks = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
    words.insert(keys, table_marks, size - 1, months, numbers)
    words.insert(keys, table_marks, size - 1, values, marks)
    pair_values, pair_owners, pair_kinds = column("pair_values"), column("pair_owners"), column("pair_kinds")
    hashes = np.zeros(len(pair_values), np.uint64)
    _pair_all(pair_values, pair_owners, hashes)
    hashes, firsts = np.unique(hashes, return_index=True)
    shares = np.zeros(size, np.uint32)
    _share(keys, size - 1, np.ascontiguousarray(pair_values[firsts]), shares)
    pairs, room = np.zeros(table_size(len(hashes)), np.uint64), np.zeros(table_size(len(hashes)), np.uint32)
    words.insert(pairs, room, len(pairs) - 1, hashes, np.zeros(len(hashes), np.uint32))
    aliases, order = np.unique(column("aliases"), return_index=True)
    kinds = table_marks >> words.KIND_SHIFT
    complete = (table_marks & words.COMPLETE) > 0
    return Known(
        keys=keys,
        marks=table_marks,
        shares=shares,
        pairs=pairs,
        aliases=aliases,
        owners=column("owners")[order],
        patients=np.unique(column("patients")),
        counts=np.array([int((complete & ((kinds & kind) > 0)).sum()) for kind in Kind], np.uint32),
        pair_counts=np.array([int(((pair_kinds[firsts] & kind) > 0).sum()) for kind in Kind], np.uint32),
        humans=len(np.unique(pair_owners)),
    )


def save(known: Known, write: Any) -> None:
    """Write each array by `write(name, bytes)`."""
    for name in _ARRAYS:
        buffer = io.BytesIO()
        np.save(buffer, getattr(known, name))
        write(f"{name}.npy", buffer.getvalue())


def load(humans: int, read: Any, local: str | None) -> Known:
    """The tables out of their files: mapped from the folder `local`, or read by `read(name)`."""

    def array(name: str) -> Any:
        if local is not None:
            mapped: Any = np.load(Path(local, f"{name}.npy"), mmap_mode="c")
            return np.asarray(mapped)  # compiled loops take plain arrays; it still is the mapping
        return np.load(io.BytesIO(read(f"{name}.npy")))

    return Known(**{name: array(name) for name in _ARRAYS}, humans=humans)


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as one file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpack(content: bytes) -> dict[str, Any]:
    """The arrays of a file of `pack`."""
    with np.load(io.BytesIO(content)) as found:
        return {name: found[name] for name in found.files}
