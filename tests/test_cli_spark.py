"""`fhir-mask run` and `fhir-mask demo` from end to end, and how they stop."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from masking.cli import main
from masking.commands.interrupt import Interruptible, Terminated
from masking.commands.quiet import QuietStart
from masking.keys import write_key_file
from masking.report.manifest import read_manifest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PATIENT = '{"resourceType":"Patient","id":"secret-%d","name":[{"family":"Oberhuber"}],"birthDate":"1987-03-14"}\n'


def test_a_run_ends_with_a_table_and_a_code(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    source, out, phi, key = (tmp_path / name for name in ("in", "out", "phi", "key"))
    source.mkdir()
    (source / "a.ndjson").write_text("".join(PATIENT % number for number in range(5)))
    write_key_file(key)
    words = ["run", str(source), str(out), "--phi-area", str(phi), "--key-file", str(key)]
    assert main([*words, "--JOB_NAME", "nightly"], on_platform=True) == 0
    assert "Patient" in capsys.readouterr().out
    (source / "b.ndjson").write_text('{"resourceType":"Patient","id":"Oberhuber"\n')
    assert main([*words, "--on", "2026-01-01"]) == 3
    printed = capsys.readouterr()
    assert "not-json" in printed.out
    assert "Quarantine" in printed.out
    assert "Oberhuber" not in printed.out + printed.err
    manifest = read_manifest(str(out))
    assert manifest is not None
    assert (manifest.total.masked, manifest.total.quarantined) == (5, 1)
    assert manifest.made_with.reference_date == "2026-01-01"
    assert main(["status", str(out)]) == 0
    assert manifest.run_id in capsys.readouterr().out
    assert spark.range(3).count() == 3, "a session that was there before is still there"


def test_types_that_were_not_asked_for_are_dropped(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(PATIENT % 1 + '{"resourceType":"Group","id":"g"}\n')
    write_key_file(tmp_path / "key")
    job = tmp_path / "job.yaml"
    job.write_text(
        f"source: {tmp_path}/a.ndjson\ndestination: {tmp_path}/out\nphi_area: {tmp_path}/phi\n"
        f"key_file: {tmp_path}/key\ntypes: [Patient]\n"
    )
    assert main(["run", "--job", str(job)]) == 0
    manifest = read_manifest(str(tmp_path / "out"))
    assert manifest is not None
    assert manifest.types["Group"].dropped == 1
    assert manifest.types["Patient"].masked == 1
    assert "Patient" in manifest.made_with.policy


@pytest.mark.spark
@pytest.mark.slow
def test_the_demo_finds_nothing_and_can_be_had_again(tmp_path: Path) -> None:
    for again in (False, True):
        words = [sys.executable, "-m", "masking", "demo", "--patients", "12", "--dest", str(tmp_path / "demo")]
        env = {**os.environ, "COLUMNS": "100"}
        if again:  # as on a machine that has no way to Maven and has never had one
            env["JAVA_TOOL_OPTIONS"] = f"-Duser.home={tmp_path} -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"
        done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False, env=env)
        assert done.returncode == 0, done.stderr
        assert " 0 found." in done.stdout
        without_delta = "Delta:  left out, for Maven does not bring its jars here" in done.stdout
        assert without_delta or not again
        assert without_delta is (re.search(r"^Delta  +/", done.stdout, re.MULTILINE) is None)
        assert done.stdout.count("Equal on source and masked.") == 3
        assert done.stdout.count("DuckDB") >= 6
        assert "NOT equal" not in done.stdout
        assert "Patient" in done.stdout
        assert ("from an earlier demo" in done.stdout) is again
        assert "WARN" not in done.stderr
        assert "Traceback" not in done.stderr
        assert re.search(r"Verdict +verified\n", done.stdout)
    manifest = json.loads((tmp_path / "demo" / "masked" / "manifest.json").read_text())
    assert manifest["types"]["Patient"]["masked"] == 12
    assert (tmp_path / "demo" / "masked" / "runs" / manifest["run_id"] / "report.html").exists()


# ── how a run stops, and what is not shown ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_an_interrupt_cancels_from_beside_and_comes_out_as_one(number: signal.Signals, kind: type) -> None:
    cancelled = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), number)
        assert cancelled.wait(10)
        raise ValueError("the job was cancelled")

    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt) as caught, Interruptible(cancelled.set, lambda: None):
        work()
    assert type(caught.value) is kind
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_failures_stay_what_they_are() -> None:
    with pytest.raises(ValueError, match="own"), Interruptible(lambda: None, lambda: None):
        raise ValueError("own")


def child(word: str) -> None:
    subprocess.run([sys.executable, "-c", f"import sys; print({word!r}, file=sys.stderr)"], check=True)


def test_what_java_says_while_it_starts_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    quiet = QuietStart()
    with quiet:
        child("noise")
        left = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read(1); print('later', file=sys.stderr)"],
            stdin=subprocess.PIPE,
        )
        time.sleep(0.2)
    print("ours", file=sys.stderr)
    left.communicate(b"x", timeout=30)
    time.sleep(0.2)
    shown = capfd.readouterr().err
    assert "noise" not in shown
    assert "ours" in shown
    assert "later" in shown


def test_a_start_that_fails_shows_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), QuietStart():
        child("the reason")
        time.sleep(0.2)
        raise RuntimeError
    assert "the reason" in capfd.readouterr().err
