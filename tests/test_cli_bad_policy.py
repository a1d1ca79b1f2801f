"""A policy that keeps names, from the command line: the run ends with 4, findings have places, and nothing tells a name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from masked_run import ON

from masking.cli import main
from masking.commands.verdict import LEAK
from masking.keys import write_key_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

POLICY = "policy: bad\nextends: realistic\nrules:\n  HumanName.family: keep\n  HumanName.given: keep\n"


def names_in(source: Path) -> set[str]:
    """Families and given names of all people of an export, as they are spelled; those of four letters and more."""
    found: set[str] = set()
    for path in source.glob("*.ndjson"):
        for line in path.read_text().splitlines():
            try:
                resource = json.loads(line)
            except ValueError:  # the sample has lines that are no JSON
                continue
            for name in resource.get("name", []) if resource["resourceType"] == "Patient" else []:
                found |= {name.get("family", ""), *name.get("given", [])}
    return {name for name in found if len(name) > 3}


@pytest.mark.slow
def test_a_run_with_a_bad_policy_ends_with_4_and_tells_no_name(
    spark: SparkSession, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, phi, key, policy = (tmp_path / name for name in ("out", "phi", "key", "bad.yaml"))
    policy.write_text(POLICY)
    write_key_file(key)
    words = [str(source), str(out), "--phi-area", str(phi), "--key-file", str(key), "--policy", str(policy)]
    assert main(["run", *words, "--on", ON, "--verify"]) == LEAK == 4
    said = capsys.readouterr()
    names = names_in(source)
    assert len(names) > 20

    (run,) = (out / "runs").iterdir()
    told = {path.name: path for path in run.iterdir() if path.is_file()}
    assert {"manifest.json", "verification.json", "report.html", "report.json"} <= told.keys()
    verdict = json.loads(told["verification.json"].read_text())
    leaks = [one for one in verdict["findings"] if one["check"] == "leak"]
    assert {"Patient.name.family", "Patient.name.given"} <= {one["path"] for one in leaks}
    assert not verdict["verified"] and all(one["places"] for one in leaks if one["path"])
    # Each place is one where such a name stands.
    (family,) = (one for one in leaks if one["path"] == "Patient.name.family")
    for file, line in family["places"]:
        document = json.loads((out / file).read_text().splitlines()[line - 1])
        assert any(name["family"] in names or len(name["family"]) < 4 for name in document["name"])

    # Nothing on the clean side but the data themselves has a name, nor has what was printed.
    others = [path for path in out.rglob("*") if path.is_file() and path.suffix not in (".ndjson", ".parquet")]
    assert set(told.values()) <= set(others)
    for path in others:
        assert words_of(names) & words_of([path.read_text("utf-8")]) == set(), path.name
    assert words_of(names) & words_of([said.out, said.err]) == set()

    # What was found as it stands is told in the PHI area.
    (found,) = phi.rglob("leaks.ndjson")
    assert words_of(names) & words_of([found.read_text()])
    assert main(["status", str(out)]) == 0
    assert "NOT verified" in capsys.readouterr().out
    assert main(["report", str(out)]) == LEAK


def words_of(texts: set[str] | list[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[^\W\d_]{4,}", text)}
