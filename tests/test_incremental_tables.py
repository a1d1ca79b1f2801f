"""Delta tables as a source of incremental runs: what was appended is read, what was rewritten is refused. Without Spark."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from spark_double import MADE_WITH

from masking.errors import InputError
from masking.pools import POOLS_VERSION
from masking.report.manifest import Manifest, publish_manifest
from masking.spark import RunSettings
from masking.spark.increments import Drop, find_drop
from masking.spark.ledger import write_ledger
from masking.spark.read import find_inputs

SETTINGS = RunSettings(incremental=True)


def commit(table: Path, version: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    """One commit of a table whose files are written here too."""
    actions: list[dict[str, object]] = []
    if version == 0:
        actions.append({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
        actions.append({"metaData": {"id": "t", "partitionColumns": [], "configuration": {}}})
    for name in add:
        path = table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"resource": [json.dumps({"resourceType": "Patient", "id": name[:2]})]}), path)
        size = path.stat().st_size
        actions.append({"add": {"path": name, "size": size, "partitionValues": {}, "dataChange": True}})
    actions += [{"remove": {"path": name, "dataChange": True}} for name in remove]
    log = table / "_delta_log" / f"{version:020d}.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(json.dumps(action) + "\n" for action in actions))


class Scene:
    def __init__(self, root: Path) -> None:
        self.table, self.out, self.phi = root / "in" / "patient", str(root / "out"), str(root / "phi")
        self._number = 0

    def drop(self) -> Drop:
        inputs = find_inputs(str(self.table), self.out, self.phi)
        return find_drop(inputs, self.out, self.phi, MADE_WITH, SETTINGS)

    def publish(self, drop: Drop) -> None:
        """As if a run had read it."""
        run_id = f"20260101T00000{self._number}Z-000000"
        self._number += 1
        write_ledger(self.phi, run_id, drop.inputs.files)
        settings = {"incremental": True, "formats": SETTINGS.formats, "bundles": SETTINGS.bundles}
        made_with = replace(MADE_WITH, versions={"pools": POOLS_VERSION})
        dataset = (*drop.continues, run_id)
        publish_manifest(
            self.out, Manifest(run_id, "", "", 1.0, made_with, 0, 0, {}, (), settings=settings, dataset=dataset)
        )


def names(drop: Drop) -> list[str]:
    return [Path(file.path).name for file in drop.inputs.files]


def test_what_was_appended_is_read_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    commit(scene.table, 0, add=("p1.parquet",))
    first = scene.drop()
    assert names(first) == ["p1.parquet"]
    scene.publish(first)
    assert scene.drop().is_empty
    commit(scene.table, 1, add=("p2.parquet",))
    commit(scene.table, 2, add=("p3.parquet",))
    second = scene.drop()
    assert names(second) == ["p2.parquet", "p3.parquet"] and second.inputs.versions == (2,)
    scene.publish(second)
    assert scene.drop().is_empty


def test_what_was_rewritten_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    commit(scene.table, 0, add=("p1.parquet", "p2.parquet"))
    scene.publish(scene.drop())
    commit(scene.table, 1, add=("p3.parquet",), remove=("p1.parquet", "p2.parquet"))
    with pytest.raises(InputError, match=r"2 files that earlier runs have read are no part .* --anew") as caught:
        scene.drop()
    assert "p1" not in str(caught.value)


def test_what_no_run_has_read_may_be_rewritten(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    commit(scene.table, 0, add=("p1.parquet",))
    scene.publish(scene.drop())
    commit(scene.table, 1, add=("p2.parquet",))
    commit(scene.table, 2, add=("p3.parquet",), remove=("p2.parquet",))
    assert names(scene.drop()) == ["p3.parquet"]
