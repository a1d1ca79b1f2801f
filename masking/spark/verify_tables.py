"""What lies beside a run's documents: files of its folder, and Delta tables that it is in. On the driver."""

from __future__ import annotations

import json
import re
from typing import Any

from masking import storage
from masking.errors import InputError
from masking.report.data import REPORT_DATA
from masking.report.drill import DRILL
from masking.report.manifest import MANIFEST, Manifest, OutputFile, run_folder
from masking.report.page import REPORT
from masking.report.verdict import VERDICT, Finding
from masking.sources.deltalog import LOG, read_log
from masking.spark.verify_aside import Beside
from masking.spark.verify_delta import DeltaPart, DeltaTable

DELTA = "delta"
_COMMIT = re.compile(r"(\d{20})\.json")


def delta_parts(manifest: Manifest, clean: str) -> tuple[list[DeltaPart], list[Beside], list[Finding]]:
    """The Delta tables that a run asked for, the files at their places, and what is wrong with their logs.

    A table is of all runs of the destination: where others have rows, names and days in it tell nothing, for they may be
    fakes of theirs.
    """
    parts: list[DeltaPart] = []
    files: list[Beside] = []
    faults: list[Finding] = []
    if DELTA not in str(manifest.settings.get("formats", "")).split(","):
        return parts, files, faults
    made: dict[str, list[OutputFile]] = {}
    for file in manifest.tables:
        made.setdefault(file.resource_type, []).append(file)
    kinds = {kind.lower(): kind for kind in made}
    folders = set(storage.list_folders(storage.join(clean, DELTA))) | kinds.keys()
    for name in sorted(folders):
        folder = storage.join(clean, DELTA, name)
        short, kind = f"{DELTA}/{name}", kinds.get(name, name)
        try:
            table = read_table(folder)
        except InputError:
            faults.append(Finding("files", "the log of the Delta table cannot be read", kind, 1, ((short, 0),)))
            table = None
        else:
            if name in kinds and (table is None or manifest.run_id not in table.runs):
                faults.append(Finding("files", "the Delta table is not up to the run", kind, 1, ((short, 0),)))
        alone = table is not None and table.is_whole and set(table.runs) == {manifest.run_id}
        stored = [one.path for one in storage.list_files(folder)]
        files += [Beside(path.removeprefix(clean).strip("/"), path, alone) for path in stored]
        if table is not None and name in kinds and manifest.run_id in table.runs:
            latest = max(table.runs) == manifest.run_id and not manifest.deleted
            parts.append(DeltaPart(kind, short, table, tuple(made[kind]), latest, alone))
    return parts, files, faults


def read_table(folder: str) -> DeltaTable | None:
    """The Delta table in a folder; None where there is no log. `InputError` where it cannot be read file by file."""
    logged = [file.path for file in storage.list_files(storage.join(folder, LOG))]
    if not logged:
        return None
    found = read_log(folder, logged)
    commits = {int(name[1]): path for path in logged if (name := _COMMIT.fullmatch(path.rpartition("/")[2]))}
    runs = [run for number in sorted(commits) for run in _runs_of(commits[number])]
    whole = sorted(commits) == list(range(found.version + 1))
    return DeltaTable(tuple(file.path for file in found.files), tuple(dict.fromkeys(runs)), whole)


def _runs_of(commit: str) -> list[str]:
    """The run that a commit says it is of; none of commits of others."""
    found = []
    for line in filter(bytes.strip, (storage.read_bytes(commit) or b"").split(b"\n")):
        info = _object(line).get("commitInfo")
        said = _object(info.get("userMetadata") or "{}") if isinstance(info, dict) else {}
        if isinstance(run_id := said.get("run_id"), str):
            found.append(run_id)
    return found


def _object(text: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def own_files(manifest: Manifest, clean: str) -> tuple[list[Beside], list[str]]:
    """What lies in a run's folder, and the destination's manifest, but for its documents and for what verifying it writes,
    which is made of the manifest and of numbers; and the names of all that lies there, relative to the folder.
    """
    root = run_folder(clean, manifest.run_id)
    paths = sorted(file.path for file in storage.list_files(root))
    passed = {storage.join(clean, file.path) for file in manifest.files}
    passed |= {storage.join(root, name) for name in (VERDICT, REPORT, REPORT_DATA, DRILL)}
    names = [path.removeprefix(root).strip("/") for path in paths]
    searched = [*(path for path in paths if path not in passed), storage.join(clean, MANIFEST)]
    return [Beside(path.removeprefix(clean).strip("/"), path) for path in searched], names
