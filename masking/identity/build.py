"""Build a store out of facts in one process, with no more of them in memory than one bucket's.

Facts wait in a file until all links are known; then what they contribute to each key goes to the key's bucket, and
bucket by bucket is settled. A cluster does the same with a shuffle (`masking.spark.identify`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

import msgspec

from masking.identity.entries import claims_of, encode_claim, settle_encoded
from masking.identity.facts import Facts
from masking.identity.links import Groups, numbered, numbers_of
from masking.identity.people import link_pairs
from masking.identity.store import BUCKET_BYTES, Store, bucket_of, write_bucket, write_index

_encode = msgspec.msgpack.Encoder().encode
_facts = msgspec.msgpack.Decoder(Facts).decode


def build_store(folder: str, facts: Iterable[Facts], *, bucket_bytes: int = BUCKET_BYTES, scratch: str) -> Store:
    """Build the store of these facts; the same files whatever their order. scratch: a local folder of the PHI side."""
    pairs: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(dir=scratch) as aside:
        waiting = Path(aside, "facts")
        with waiting.open("wb") as file:
            for one in facts:
                pairs += link_pairs((one,))
                _put(file, _encode(one))
            size = file.tell()
        buckets = max(1, round(2 * size / bucket_bytes))
        found = (_facts(payload) for payload in _get(waiting))
        groups = Groups(pairs, numbered(found, numbers_of(pairs)))
        _sort_out(waiting, groups, [Path(aside, str(number)) for number in range(buckets)])
        files = []
        for number in range(buckets):
            claims = sorted(set(_claims(Path(aside, str(number)))))
            if claims:
                files.append(write_bucket(folder, number, settled(claims), aside))
    write_index(folder, buckets, files)
    return Store.open(folder)


def settled(claims: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Keys in order with what they mean, out of keys in order with encoded claims."""
    for key, group in groupby(claims, key=itemgetter(0)):
        entries = settle_encoded(key, (payload for _, payload in group))
        if entries:
            yield key, entries


def _sort_out(waiting: Path, groups: Groups, paths: list[Path]) -> None:
    """Put what each record contributes into the buckets of its keys."""
    files = [path.open("wb") for path in paths]
    try:
        for payload in _get(waiting):
            for key, claim in claims_of(_facts(payload), groups):
                file = files[bucket_of(key, len(files))]
                _put(file, key.encode())
                _put(file, encode_claim(claim))
    finally:
        for file in files:
            file.close()
    waiting.unlink()


def _claims(path: Path) -> Iterator[tuple[str, bytes]]:
    parts = _get(path)
    for key in parts:
        yield key.decode(), next(parts)


def _put(file: IO[bytes], content: bytes) -> None:
    file.write(len(content).to_bytes(4, "little"))
    file.write(content)


def _get(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size := file.read(4):
            yield file.read(int.from_bytes(size, "little"))
