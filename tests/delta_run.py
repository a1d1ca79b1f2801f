"""Runs into Delta tables, in a process and a Spark session of their own: `python delta_run.py FOLDER`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from documents import ON, plan
from test_tables_parquet import conditions

from masking.document import Engine
from masking.errors import MaskingError, TablesBehind
from masking.report.manifest import MadeWith
from masking.session import open_session, with_delta
from masking.spark import RunResult, RunSettings, mask
from masking.spark import delta as module
from masking.spark.delta import merge_runs, optimize

MADE_WITH = MadeWith("realistic", "5" * 64, "fp-0123456789abcdef", "default", ON)


class Scene:
    def __init__(self, folder: Path) -> None:
        self.spark = open_session("local[2]", with_delta("local", {"spark.sql.shuffle.partitions": "2"}))
        self.folder = folder
        self.out = str(folder / "out")

    def run(self, documents: list[dict], **settings: object) -> RunResult:
        """A run over just these documents."""
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in" / "a.ndjson").write_text("".join(json.dumps(document) + "\n" for document in documents))
        print("a run", len(documents), flush=True)  # shown where the test fails
        how = RunSettings(partitions=1, formats="ndjson,parquet,delta", **settings)  # type: ignore[arg-type]
        places = [str(self.folder / name) for name in ("in", "out", "phi")]
        return mask(self.spark, *places, engine=Engine(plan()), made_with=MADE_WITH, settings=how)

    def rows(self, name: str = "condition") -> list:
        return self.spark.read.format("delta").load(f"{self.out}/delta/{name}").collect()

    def log(self, name: str = "condition") -> list:
        return self.spark.sql(f"DESCRIBE HISTORY delta.`{self.out}/delta/{name}`").collect()


def main(folder: Path) -> None:
    scene = Scene(folder)
    documents = conditions(60)
    first = scene.run(documents[:40], change_feed=True)
    assert first.delta == f"{scene.out}/delta"
    assert len({row.id for row in scene.rows()}) == len(scene.rows()) == 40
    [commit] = scene.log()
    assert json.loads(commit.userMetadata) == {"run_id": first.run_id, "policy_sha256": "5" * 64}
    properties = scene.spark.sql(f"DESCRIBE DETAIL delta.`{scene.out}/delta/condition`").collect()[0].properties
    assert properties["delta.enableChangeDataFeed"] == "true"

    changed = [{**document, "code": {"coding": [{"code": "changed"}]}} for document in documents[:10]]
    second = scene.run([*changed, *documents[40:]])
    rows = scene.rows()
    assert len({row.id for row in rows}) == len(rows) == 60, "those that were there were replaced"
    assert sum(row.code is not None and bool(row.code.coding) for row in rows) == 10
    assert [json.loads(entry.userMetadata)["run_id"] for entry in scene.log()] == [second.run_id, first.run_id]

    assert merge_runs(scene.spark, scene.out).commits == (), "nothing is merged twice"
    with pytest.MonkeyPatch.context() as patch:  # as if the log were not looked at: Delta itself takes a run once
        patch.setattr(module, "_last_run", lambda spark, path: "")
        assert len(merge_runs(scene.spark, scene.out).commits) == 2
    assert len(scene.log()) == 2
    assert Counter(row.id for row in scene.rows()) == Counter(row.id for row in rows)

    assert optimize(scene.spark, scene.out) == ("condition",)
    assert scene.log()[0].operation == "OPTIMIZE" and scene.log()[0].userMetadata is None
    assert merge_runs(scene.spark, scene.out).commits == ()
    assert len(scene.rows()) == 60

    # A process that dies after it has published and before it has merged: the next call makes it good.
    def die(*_: object, **__: object) -> None:
        raise MaskingError("killed")

    extra = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("masking.spark.run.merge_runs", die)
        with pytest.raises(TablesBehind, match="is published"):
            scene.run([extra])
    assert not (folder / "out" / "delta" / "patient").exists()
    late = {**extra, "meta": {"lastUpdated": "2024-01-02T00:00:00Z"}, "gender": "male"}
    early = {**extra, "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}, "gender": "female"}
    fourth = scene.run([early, late, early], resource_column=True)
    [patient] = scene.rows("patient")
    assert patient.gender == "male", "of one id twice the last that was updated"
    assert json.loads(patient.resource_json)["gender"] == "male", "a new column"
    runs = [json.loads(entry.userMetadata)["run_id"] for entry in scene.log("patient")]
    assert len(runs) == 2 and runs[0] == fourth.run_id and runs[1] > second.run_id
    scene.spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
