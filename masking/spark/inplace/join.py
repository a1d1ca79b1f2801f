"""Make one file of the parts of a file that was cut. Whole files need none of it.

A compressed file and a document are never cut, so parts are plain lines: joined, with the file's byte order mark before
and without a line end behind if it had none. Or they are tables, whose row groups are written into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]

from masking import storage
from masking.errors import CountMismatch, MaskingError, UnreadableFile
from masking.sources.content import Form
from masking.spark.inplace.jobs import Groups, carry, indexes, row, spread
from masking.spark.inplace.layout import layout_of
from masking.spark.inplace.put import Print
from masking.spark.inplace.table import join_tables
from masking.spark.inplace.write import staged_name, staged_path
from masking.spark.read import InputFile
from masking.spark.receipts import Part
from masking.spark.sink import Sink
from masking.spark.splits import Block
from masking.spark.write import Places

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CHUNK = 8 << 20


@dataclass(frozen=True, slots=True)
class CutFile:
    """A file that was cut: where it is, its size, its form by its name, and its parts in order."""

    path: str
    size: int
    form: Form
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class JoinTask:
    """Joins parts. `run` is given to `mapInArrow`."""

    files: tuple[CutFile, ...] = field(repr=False)
    groups: Groups = field(repr=False)
    places: Places

    def run(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Numbers of groups in; number, size and hash of each joined file out."""
        for index in indexes(rows, self.groups):
            file = self.files[index]
            yield row(file.parts[0].number, self._join(file))

    def _join(self, file: CutFile) -> Print:
        if file.parts[0].is_table:
            return self._join_tables(file)
        layout = layout_of(Block(file.path, "", 0, file.size, file.size, file.parts[0].number, file.form))
        # Of what is not plain lines, the first part is all of it, even where nothing is left.
        parts = [part for part in file.parts if part.rows or not layout.is_plain]
        size = sum(part.bytes for part in parts)
        bom = layout.bom if parts and layout.is_plain else b""
        if parts and layout.is_plain and not _is_ended(file):
            size -= len(layout.end)
        with storage.Spool(staged_path(self.places, staged_name(file.parts[0].number)), self.places.scratch) as spool:
            sink = Sink(spool)
            sink.write(bom)
            for chunk in self._chunks(parts):
                sink.write(chunk[: size - sink.size + len(bom)])
            if sink.size != size + len(bom):
                raise CountMismatch("parts of a file are not as long as they were written; nothing was replaced")
            spool.publish()
        return Print(sink.size, sink.hash.hexdigest())

    def _join_tables(self, file: CutFile) -> Print:
        number = file.parts[0].number
        paths = [staged_path(self.places, part.name) for part in file.parts]
        with storage.Spool(staged_path(self.places, staged_name(number)), self.places.scratch) as spool:
            sink = Sink(spool)
            try:
                join_tables(file.path, paths, sink)
            except FileNotFoundError:
                raise _gone(file.parts[0].name) from None
            except (OSError, pa.ArrowException, ValueError):
                raise UnreadableFile.numbered(number, "it cannot be read any more, or what is staged of it") from None
            finally:
                sink.drop()
            spool.publish()
        return Print(sink.size, sink.hash.hexdigest())

    def _chunks(self, parts: Sequence[Part]) -> Iterator[bytes]:
        for part in parts:
            try:
                with storage.open_input(staged_path(self.places, part.name)) as source:
                    while chunk := source.read(_CHUNK):
                        yield chunk
            except FileNotFoundError:
                raise _gone(part.name) from None


def _gone(name: str) -> MaskingError:
    return MaskingError(
        f"{name} is gone; does another program clean the PHI area, or is it no place that all workers share?"
    )


def _is_ended(file: CutFile) -> bool:
    try:
        with storage.open_input(file.path) as original:
            original.seek(file.size - 1)
            return bool(original.read(1) == b"\n")
    except OSError as error:
        raise UnreadableFile.told_by(file.parts[0].number, error) from None


def join_parts(
    spark: SparkSession, parts: Iterable[Part], files: Sequence[InputFile], places: Places, cores: int
) -> dict[int, Print]:
    """Size and hash of what takes the place of each file, by number from 1; `files` are the originals.

    Parts are deleted once they are joined.
    """
    found: dict[int, Print] = {}
    cut: list[CutFile] = []
    for number, many in groupby(sorted(parts, key=lambda part: (part.number, part.start)), lambda part: part.number):
        own = tuple(many)
        if own[0].name == staged_name(number):
            found[number] = Print(own[0].bytes, own[0].sha256)
        else:
            original = files[number - 1]
            cut.append(CutFile(original.path, original.size, original.form, own))
    groups = spread([file.size for file in cut], cores)
    found |= carry(spark, JoinTask(tuple(cut), groups, places), groups, places.phi, (file.path for file in cut))
    for file in cut:
        for part in file.parts:
            storage.delete_file(staged_path(places, part.name))
    return found
