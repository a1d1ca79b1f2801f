"""Hold what is staged against the originals, before any of them is replaced: the verification of `masking.spark.verify`.

All of it stays in the PHI area, the verdict and the report too. What it names `…/staged/000012` takes the place of the
twelfth input file, in order of name.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from masking import storage
from masking.errors import IdentifiersLeft, NotVerified
from masking.report.verdict import Finding
from masking.risk.settings import RiskSettings
from masking.sources.content import Form
from masking.spark.begin import cores_of
from masking.spark.inplace.jobs import hashes
from masking.spark.inplace.journal import STAGED
from masking.spark.inplace.layout import layout_of
from masking.spark.inplace.stage import Staged
from masking.spark.inplace.table import starts_of_groups
from masking.spark.inplace.write import staged_name, staged_path
from masking.spark.read import InputFile
from masking.spark.receipts import Part
from masking.spark.splits import whole_block
from masking.spark.verify import Held, Verified, carried_out
from masking.spark.verify_aside import AsideTask, Beside
from masking.spark.verify_pairs import ANY, Stretch
from masking.spark.verify_receipts import FaultCount
from masking.spark.verify_run import PolicyFacts, Verification
from masking.verify.known import Known

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def verify_staged(
    spark: SparkSession, staged: Staged, phi_area: str, policy: PolicyFacts, risk: RiskSettings
) -> Verified:
    """Look for what leaked in all that is staged, compare the rest with the originals, and measure both: later it could not
    be done, for the originals are gone.
    """
    run = Held(staged.manifest, staged.sources.inputs, phi_area, phi_area)
    return carried_out(spark, run, policy, risk, functools.partial(_OfStaged, staged))


def refuse_unverified(done: Verified) -> None:
    """`IdentifiersLeft`, or `NotVerified` for anything else that is wrong; then nothing is to be replaced."""
    if done.verdict.leaked:
        where = f": {done.findings}" if done.findings else ""
        raise IdentifiersLeft(f"identifiers are left in what is masked, so nothing was replaced{where}")
    if not done.verdict.verified:
        raise NotVerified(f"what is masked is not as it must be, so nothing was replaced: {done.report}")


class _OfStaged(Verification):
    """A verification of files that keep the layout of the source, by the numbers of their files."""

    def __init__(self, staged: Staged, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._staged = staged

    def _check_files(self) -> dict[int, frozenset[str]]:
        """Hold the staged files against what was written."""
        staged = self._staged
        files = [
            (number, staged_path(staged.places, staged_name(number)), one.size) for number, one in staged.prints.items()
        ]
        found = hashes(self._spark, files, staged.places.phi, cores_of(self._spark))
        for number, one in staged.prints.items():
            if found[number] != one:
                place = self._place(number)
                self._faults.add(FaultCount("files", "its bytes are not those that were written", "", 1, [(place, 0)]))
        return {}

    def _outputs(self) -> dict[int, dict[str, list[Stretch]]]:
        """What each task staged, in the order of its blocks."""
        stretches = self._stretches()
        return {
            number: {
                ANY: [
                    stretches[block.number, block.start] for block in task if (block.number, block.start) in stretches
                ]
            }
            for number, task in enumerate(self.tasks)
        }

    def _stretches(self) -> Mapping[tuple[int, int], Stretch]:
        """By file and first byte of the block: where the block's documents are in the staged file."""
        found: dict[tuple[int, int], Stretch] = {}
        files = self._inputs.files
        ordered = sorted(self._staged.parts, key=lambda part: (part.number, part.start))
        for number, parts in groupby(ordered, lambda part: part.number):
            file, size = files[number - 1], self._staged.prints[number].size
            path = self._place(number)
            own = list(parts)
            start = line = 0
            layout = layout_of(whole_block(file, number)) if len(own) > 1 else None
            bom = len(layout.bom) if layout is not None and layout.is_plain else 0
            if own[0].is_table:
                found |= self._of_table(own, file, path, size)
                continue
            for part in own:
                if not part.rows:
                    continue
                end = min(size, (start or bom) + part.bytes)
                found[number, part.start] = Stretch(path, start, end, size, line, file.form, file.codec)
                start, line = end, line + part.rows
        return found

    def _of_table(self, parts: Sequence[Part], file: InputFile, path: str, size: int) -> dict[tuple[int, int], Stretch]:
        """Where the rows of each part are in a staged table: in the row groups that it gave."""
        hints = replace(file.hints, path=file.path)  # its type may be told by the names around the original alone
        begins = [*starts_of_groups(storage.join(self._clean, path)), size]
        found: dict[tuple[int, int], Stretch] = {}
        group = line = 0
        for part in parts:
            if part.groups:
                end = begins[group + part.groups]
                found[part.number, part.start] = Stretch(path, begins[group], end, size, line, Form.PARQUET, "", hints)
            group, line = group + part.groups, line + part.rows
        return found

    def _place(self, number: int) -> str:
        return storage.join("runs", self._manifest.run_id, STAGED, staged_name(number))

    def _search_aside(self, known: Known, arrays: Sequence[Mapping[str, Any]]) -> list[Finding]:
        """Tables, for what no document shows of them. Nothing else lies beside the files: what else is in their folders is
        not ours, and names are looked at on their own.
        """
        numbers = sorted({part.number for part in self._staged.parts if part.is_table})
        if not numbers:
            return []
        self._save_judged(arrays)
        short = [self._place(number) for number in numbers]
        files = tuple(Beside(one, storage.join(self._clean, one), is_rows=True) for one in short)
        found = self._job(AsideTask(files, self._work, known.humans), len(files))
        return sorted((msgspec.json.decode(one, type=Finding) for one in found), key=lambda one: one.places)
