"""Whose a line is and when it was: what tables are sorted and partitioned by, read of the lines themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from masking.fhir.compartment import says_whose, subject_paths
from masking.fhir.references import parse
from masking.tables.main_dates import is_day, main_date_paths
from masking.tables.moments import moments_of
from masking.tables.schema import Column, columns
from masking.tables.shred import Shredder

_PATIENT, _ID = "Patient", "id"
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Keys:
    """Of each line its id, the Patient whose it is, its main date and the year of that; null where it has none."""

    id: pa.StringArray
    patient: pa.StringArray
    date: pa.Array  # as `schema.derived` has it
    year: pa.Int32Array

    def take(self, places: Any) -> Keys:
        """Those of the lines at these places."""
        return Keys(*(getattr(self, name).take(pa.array(places)) for name in ("id", "patient", "date", "year")))

    def slice(self, start: int, count: int) -> Keys:
        """Those of neighbouring lines."""
        return Keys(*(getattr(self, name).slice(start, count) for name in ("id", "patient", "date", "year")))

    def order(self, *, by_year: bool = False) -> Any:
        """The places of the lines in the order of a table: by patient, date and id; by year first where asked."""
        names = [*(["year"] if by_year else []), "patient", "date", "id"]
        table = pa.table({name: getattr(self, name) for name in names})
        return pc.sort_indices(table, sort_keys=[(name, "ascending") for name in names]).to_numpy()


def join_keys(parts: Sequence[Keys]) -> Keys:
    """The keys of all lines, one part after the other; there is at least one."""
    return Keys(
        *(pa.concat_arrays([getattr(part, name) for part in parts]) for name in ("id", "patient", "date", "year"))
    )


class KeyReader:
    """Reads the keys of lines of one type."""

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type
        self._is_day = is_day(resource_type)
        self._dates = main_date_paths(resource_type)
        self._subjects = subject_paths(resource_type)
        wanted = [_ID, *self._dates, *(f"{path}.reference" for path in self._subjects)]
        self._columns = _only(columns(resource_type), [tuple(path.split(".")) for path in wanted])
        self._shredder = Shredder(self._columns, resource_type)

    def read(self, lines: Sequence[bytes | memoryview]) -> Keys:
        """The keys of lines; see `Shredder.shred`."""
        found = dict(zip((column.name for column in self._columns), self._shredder.shred(lines), strict=True))
        ids = found[_ID]
        patients = ids if self._type == _PATIENT else self._patients(found, len(lines))
        return Keys(ids, patients, *self._when(found, len(lines)))

    def _patients(self, found: dict[str, pa.Array], count: int) -> pa.StringArray:
        """The first Patient that the best of the paths names."""
        names: list[str] = []
        best = np.full(count, -1)
        for path in self._subjects:
            rows, references = _texts(found, f"{path}.reference", count)
            encoded = references.dictionary_encode()
            codes = [-1]
            for text in encoded.dictionary.to_pylist():
                name = self._patient(path, text)
                codes.append(-1 if name is None else len(names))
                names += [] if name is None else [name]
            named = np.array(codes)[encoded.indices.to_numpy() + 1]
            owned, firsts = np.unique(rows[named >= 0], return_index=True)
            free = best[owned] < 0
            best[owned[free]] = named[named >= 0][firsts][free]
        return pa.array(names, pa.string()).take(pa.array(best, mask=best < 0))

    def _patient(self, path: str, reference: str) -> str | None:
        parsed = parse(reference)
        if parsed.type == _PATIENT and parsed.kind in ("relative", "absolute"):
            return parsed.id
        # What it stands for is not said, but the element is there to name a patient.
        return parsed.id if parsed.kind == "urn_uuid" and says_whose(self._type, path) else None

    def _when(self, found: dict[str, pa.Array], count: int) -> tuple[pa.Array, pa.Int32Array]:
        micros, known = np.zeros(count, np.int64), np.zeros(count, bool)
        for path in self._dates:
            rows, texts = _texts(found, path, count)
            moments, are = moments_of(texts)
            take = are & ~known[rows]
            micros[rows[take]] = moments[take]
            known[rows[take]] = True
        missing = ~known
        years = micros.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
        if self._is_day:
            date = pa.array((micros // _DAY).astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())
        else:
            date = pa.array(micros, pa.int64(), mask=missing).cast(pa.timestamp("us", tz="UTC"))
        return date, pa.array(years.astype(np.int32), pa.int32(), mask=missing)


def _only(fields: Sequence[Column], paths: Sequence[tuple[str, ...]]) -> tuple[Column, ...]:
    """The columns that lead to these paths, with nothing else in them."""

    def kept() -> Iterator[Column]:
        for column in fields:
            below = [path[1:] for path in paths if path[0] == column.name]
            if below:
                yield replace(column, fields=_only(column.fields, [path for path in below if path]))

    return tuple(kept())


def _texts(found: dict[str, pa.Array], path: str, count: int) -> tuple[Any, pa.StringArray]:
    """The texts at a path in the order of the lines, nulls left out, and the line that each stands in."""
    first, *rest = path.split(".")
    array, rows = found[first], np.arange(count)
    for name in [*rest, None]:
        if pa.types.is_list(array.type):
            rows = rows[pc.list_parent_indices(array).to_numpy()]
            array = array.flatten()
        if name is not None:
            array = array.field(name)
    there = array.is_valid()
    return rows[there.to_numpy(zero_copy_only=False)], array.filter(there)
