"""`fhir-mask`: what each command prints, which code it ends with, and that no value or key gets into an error."""

from __future__ import annotations

import bz2
import gzip
import importlib
import json
import os
import stat
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

import masking.commands.demo as demo_command
import masking.commands.preview as preview_command
from masking.cli import BUG, COMMANDS, INTERRUPTED, TERMINATED, UNREACHABLE, UNREAD, main
from masking.commands.beside import at_dots
from masking.commands.job import order_of
from masking.commands.platform import without_platform_options
from masking.commands.screen import Screen, duration, printable, size
from masking.errors import MaskingError, UsageError
from masking.keys import MasterKey, write_key_file
from masking.maskers.base import registered
from masking.report.manifest import MadeWith, Manifest, OutputFile, TypeCounts, publish_manifest

PATIENT = {
    "resourceType": "Patient",
    "id": "secret-1",
    "name": [{"family": "Oberhuber", "given": ["Kreszentia"]}],
    "gender": "female",
    "birthDate": "1987-03-14",
    "maritalStatus": {"coding": [{"code": "M"}]},
}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FHIR_MASK_KEY", raising=False)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text("\n" + json.dumps(PATIENT) + "\r\n")
    observation = {"resourceType": "Observation", "id": "o", "status": "final", "contained": [PATIENT]}
    with gzip.open(folder / "Observation.ndjson.gz", "wt") as file:
        file.write(json.dumps(observation) + "\n" + json.dumps(observation | {"id": "o2"}))
    with bz2.open(folder / "mixed.jsonl.bz2", "wt") as file:
        file.write('{"resourceType":"Group","id":"g","type":"person","actual":true}\n{"resourceType":"Nonsense"}\n')
    (folder / "Device.ndjson.zst").write_bytes(
        zstandard.compress(b'{"id":"d","contained":[{"resourceType":"Patient"}],"resourceType":"Device"}\n')
    )
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_key_file(tmp_path / "key")
    return tmp_path / "key"


# ── finding the command ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: fhir-mask {name}")
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("fhir-mask ")


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["keygn"], 2, "did you mean 'keygen'?"),
        (["keygen", "--ouut", "x"], 2, "did you mean '--out'?"),
        (["keygen", "--ouut=Oberhuber"], 2, "no option --ouut; did"),
        (["keygen", "surplus"], 2, "one argument too many"),
        (["sample"], 2, "DEST"),
        (["sample", "x", "--patients", "many"], 2, "--patients"),
        (["policy", "shw"], 2, "did you mean 'show'?"),
        (["policy", "show"], 2, "name the policy"),
        (["policy", "show", "realstic"], 2, "did you mean 'realistic'?"),
        (["explain", "Patient.brithDate"], 2, "did you mean 'Patient.birthDate'?"),
        (["status", "/nowhere/at/all"], 7, "there is no run"),
        (["run"], 2, "SOURCE and a DESTINATION"),
        (["run", "one"], 2, "one path alone"),
        (["run", "a", "b"], 2, "--phi-area"),
        (["run", "a", "b", "--phi-araa", "c"], 2, "did you mean '--phi-area'?"),
        (["run", "a", "b", "--phi-area", "b/c"], 2, "inside one another"),
        (["run", "a", "b", "--phi-area", "c"], 5, "FHIR_MASK_KEY is not set"),
        (["run", "a", "b", "--phi-area", "c", "--on", "2026-02-30"], 2, "--on"),
        (["run", "a", "b", "--phi-area", "c", "--types", "Patient,Patinet"], 2, "did you mean 'Patient'?"),
        (["run", "a", "b", "--phi-area", "c", "--conf", "Oberhuber"], 2, "KEY=VALUE"),
        (["run", "a", "b", "--phi-area", "c", "--target-file-bytes", "0"], 2, "--target-file-bytes"),
        (["run", "a", "b", "--phi-area", "c", "--key-file", "k", "--key-env", "E"], 2, "not in both"),
        (["run", "a", "b", "--phi-area", "c", "--key-file", "/nowhere/key"], 5, "cannot read key file"),
        (["run", "a", "b", "--phi-area", "c", "--key-file", "fhir-mask-key-1:0beebeef"], 5, "that is a key"),
        (["run", "a", "b", "--phi-area", "c", "--key-file=/x/FHIR-mask-key-1:0beebeef"], 5, "that is a key"),
        (["run", "a", "b", "--phi-area", "c", "--key-file", "0beebeef" * 8], 5, "that is a key"),
        (["run", "a", "b", "--phi-area", "c", "--key-env", "0beebeef" * 8], 5, "that is a key"),
        (["run", "a", "b", "--phi-area", "c", "--key-env", "0beebeef=/+"], 5, "no name of an environment variable"),
        (["run", "a", "fhir-mask-key-1:0beebeef", "--phi-area", "c"], 5, "that is a key"),
        (["run", "a", "b", "--phi-area", "c", "--key-file", ""], 2, "--key-file is empty"),
        (["preview", "/nowhere", "--key-env", " "], 2, "--key-env is empty"),
        (["run", "a", "b", "--phi-area", ""], 2, "--phi-area is empty"),
        (["run", "a", "", "--phi-area", "c"], 2, "DESTINATION is empty"),
        (["run", "a", "b", "--phi-area", "c", "--policy", ""], 2, "--policy is empty"),
        (["run", "a", "b", "--phi-area", "c", "--types", ","], 2, "--types names nothing"),
        (["run", "a", "b", "--phi-area", "c", "--types", ""], 2, "--types names nothing"),
        (["run", "a", "b", "--phi-area", "c", "--POLICY", "safe_harbor"], 2, "did you mean '--policy'?"),
        (["run", "a", "b", "--phi-area", "c", "--JOB_NAME", "nightly"], 2, "no option --JOB_NAME"),
        (["run", "--job", "/nowhere/job.yaml"], 2, "there is no file"),
        (["preview", "/nowhere"], 5, "--throwaway-key"),
        (["preview", "/nowhere", "--throwaway-key"], 7, "nothing to read"),
        (["run", "a", "b", "--phi-area", "c", "--on", "0001-01-01"], 2, "--on: expected a day from 1900 to"),
        (["preview", "/nowhere", "--throwaway-key", "--on", "0001-01-01"], 2, "--on: expected a day from 1900 to"),
        (["preview", "/nowhere", "--throwaway-key", "--on", "20200101"], 2, "--on: expected a date of the form"),
        (["preview", "/nowhere", "--throwaway-key", "--on", ""], 2, "--on: expected a date of the form"),
        (["preview", "/nowhere", "--throwaway-key", "-n", "0"], 2, "-n"),
        (["preview", "/nowhere", "--throwaway-key", "--key-env", "X"], 2, "the one or the other"),
    ],
)
def test_errors_are_one_line_with_a_code_and_a_remedy(
    argv: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert printed.err.count("\n") == 1
    assert text in printed.err
    assert "Traceback" not in printed.err
    assert "Oberhuber" not in printed.err
    assert "0beebeef" not in printed.err


def test_on_a_platform_its_options_are_passed_over_and_ours_in_capitals_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["run", "a", "b", "--JOB_NAME", "nightly", "--enable-metrics", "true"]
    assert main(words, on_platform=True) == 2
    assert "--phi-area DIR is needed" in capsys.readouterr().err
    assert main([*words, "--POLICY", "safe_harbor"], on_platform=True) == 2
    assert "no option --POLICY; did you mean '--policy'?" in capsys.readouterr().err


def test_a_bug_tells_its_place_and_none_of_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], export: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("Oberhuber")

    monkeypatch.setattr(preview_command, "first_documents", fail)
    assert main(["preview", str(export), "--throwaway-key"]) == BUG
    assert main(["preview", str(export), "--throwaway-key", "--debug"]) == BUG
    printed = capsys.readouterr().err
    assert "ValueError at test_cli.py:" in printed
    assert "in first_documents" not in printed
    assert "in fail" in printed
    assert "Oberhuber" not in printed


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NotADirectoryError(20, "Oberhuber", "Oberhuber"), "Not a directory"),
        (OSError("Oberhuber"), "AWS credentials"),  # as Arrow's stores raise it
    ],
)
def test_storage_that_fails_is_no_bug_and_its_words_stay_unsaid(
    error: OSError, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], export: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(preview_command, "first_documents", fail)
    assert main(["preview", str(export), "--throwaway-key"]) == UNREACHABLE
    printed = capsys.readouterr().err
    assert text in printed
    assert "Oberhuber" not in printed


@pytest.mark.parametrize(
    ("master", "is_fine"),
    [("local", True), ("local[*,4]", True), ("yarn", True), ("spark://host:7077", True), ("nonsense", False)],
)
def test_a_master_that_spark_would_refuse_is_refused_before_it_starts(master: str, is_fine: bool) -> None:
    words = ["export", "masked"]
    arguments = Namespace(
        paths=words,
        job=None,
        types=None,
        allow_other_key=False,
        conf=None,
        phi_area="phi",
        policy=None,
        key_file=None,
        key_env=None,
        project=None,
        on=None,
        master=master,
        bundles=None,
        formats=None,
        partition_by=None,
        tables_like=None,
        resource_column=False,
        change_feed=False,
        json_column=None,
        incremental=False,
        reread=False,
        anew=False,
        in_place=False,
        keep_originals=None,
        leave_others=False,
        rename_files=False,
        keep_file_names=False,
        keep_people=False,
        max_document_bytes=None,
        target_file_bytes=None,
    )
    if is_fine:
        assert order_of(arguments).master == master
        return
    with pytest.raises(UsageError, match="--master"):
        order_of(arguments)


def test_an_interrupt_has_its_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("masking.commands.keygen.run", interrupt)
    assert main(["keygen"]) == INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err


# ── keygen, sample, policy, explain ──────────────────────────────────────────────────────────────────────────────────


def test_keygen_writes_a_private_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "key"
    assert main(["keygen", "--out", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert main(["keygen", "--out", str(path)]) == 2
    assert path.read_text() == text
    printed = capsys.readouterr()
    assert MasterKey.from_file(path).reveal() not in printed.out + printed.err
    assert MasterKey.from_file(path).keyring().fingerprint in printed.err


def test_keygen_prints_a_key_that_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen"]) == 0
    printed = capsys.readouterr()
    assert MasterKey.from_text(printed.out).keyring().fingerprint in printed.err


def test_sample_tells_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path / "s"), "--patients", "2", "--seed", "3"]) == 0
    printed = capsys.readouterr()
    assert "Observation" in printed.out
    assert "Wrote 2 patients" in printed.err
    assert main(["sample", str(tmp_path / "s"), "--patients", "2"]) == 2


def test_policies_are_listed_shown_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "list"]) == 0
    assert "fhir_patient_resource" in capsys.readouterr().out
    assert main(["policy", "show", "fhir_patient_resource"]) == 0
    path = tmp_path / "mine.yaml"
    path.write_text(capsys.readouterr().out)
    assert main(["policy", "check", str(path)]) == 0
    assert "is a valid policy" in capsys.readouterr().err
    path.write_text("policy: x\nrules:\n  Patient.brithDate: keep\n  date: {mask: date_shift, dayz: 3}\n")
    assert main(["policy", "check", str(path)]) == 6
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[1] for line in lines] == [f"{path}:3", f"{path}:4"]


def test_explain_shows_one_place_and_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "Patient.birthDate", "HumanName"]) == 0
    shown = capsys.readouterr().out
    assert "retain_age" in shown
    assert "1987-03-14 → " in shown
    assert "family" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_explain_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "Patient.id", "*.subject"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["path"] for answer in answers] == ["Patient.id", "*.subject"]
    assert answers[0]["line"] > 0


# ── preview ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_preview_shows_each_type_once_and_writes_nothing(
    export: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(export.parent.rglob("*"))
    assert main(["preview", str(export), "--key-file", str(key)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Patient")
    assert "Oberhuber" in printed.out
    assert "birthDate" in printed.out
    assert "maritalStatus" not in printed.out
    assert "Observation" in printed.out
    assert "Device" in printed.out
    assert "PHI" in printed.err
    assert "Oberhuber" not in printed.err
    assert sorted(export.parent.rglob("*")) == before


def test_preview_of_one_type_takes_root_resources_alone(
    export: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", str(export), "--key-file", str(key), "--type", "Patient", "-n", "9"]) == 0
    assert "1 resource under policy realistic" in capsys.readouterr().err
    assert main(["preview", str(export), "--key-file", str(key), "--type", "Claim"]) == 7
    assert main(["preview", str(export), "--key-file", str(key), "--type", "Clam"]) == 2


def test_preview_says_what_cannot_be_masked(export: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (export / "broken.ndjson").write_text('{"resourceType":"Patient","id":"Oberhuber"\n')
    assert main(["preview", str(export / "broken.ndjson"), "--key-file", str(key)]) == 0
    printed = capsys.readouterr()
    assert "to quarantine" in printed.err
    assert "Oberhuber" not in printed.err + printed.out


def test_preview_obeys_no_command_from_the_data(export: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = PATIENT | {"name": [{"family": "\x1b[2J[bold]x[/bold]\u202e\x9b1m"}]}
    (export / "Patient.ndjson").write_text(json.dumps(nasty))
    assert main(["preview", str(export / "Patient.ndjson"), "--key-file", str(key)]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown


def test_a_broken_archive_is_an_input_error(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (export / "x.ndjson.gz").write_bytes(b"this is no gzip")
    assert main(["preview", str(export / "x.ndjson.gz"), "--throwaway-key"]) == 7
    printed = capsys.readouterr().err
    assert "cannot read input file 1 (in order of name): what gzip holds is damaged or cut off" in printed
    assert "x.ndjson" not in printed


# ── status ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def manifest(run_id: str, quarantined: int = 0) -> Manifest:
    counts = TypeCounts(10 + quarantined, 10, quarantined, 0, 1000, 1100)
    made_with = MadeWith("realistic", "ab" * 32, "fp-0123456789abcdef", "default", "2026-01-01")
    files = (OutputFile(f"runs/{run_id}/ndjson/Patient/Patient-00000.ndjson", "Patient", 10, 1110, "00" * 32),)
    reasons = {"not-json": quarantined} if quarantined else {}
    return Manifest(
        run_id, "2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z", 2.0, made_with, 10 + quarantined, 0,
        {"Patient": counts}, files, reasons,
    )  # fmt: skip


def test_status_reads_the_latest_run_and_names_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish_manifest(str(tmp_path), manifest("20260101T000000Z-aaaaaa", quarantined=3))
    publish_manifest(str(tmp_path), manifest("20260102T000000Z-bbbbbb"))
    (tmp_path / "runs" / "20260103T000000Z-cccccc").mkdir()
    assert main(["status", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Run         20260102T000000Z-bbbbbb" in shown
    assert "fp-0123456789abcdef" in shown
    assert "20260101T000000Z-aaaaaa" in shown
    assert "unfinished" in shown
    assert main(["status", str(tmp_path), "--run", "20260101T000000Z-aaaaaa"]) == 0
    assert "not-json" in capsys.readouterr().out
    assert main(["status", str(tmp_path), "--run", "nope"]) == 7


def test_status_tells_of_unfinished_runs_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs" / "20260103T000000Z-cccccc").mkdir(parents=True)
    assert main(["status", str(tmp_path)]) == 7
    assert "unfinished: 20260103T000000Z-cccccc" in capsys.readouterr().err


# ── small things ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["a", "--JOB_NAME", "nightly", "b", "--phi-area", "c"], ["a", "b", "--phi-area", "c"]),
        (["--enable-metrics", "--job", "f", "--TempDir=s3://x", "a"], ["--job", "f", "a"]),
        (["--job-bookmark-option", "job-bookmark-disable", "--conf", "a=b"], ["--conf", "a=b"]),
        (["--phi-araa", "c"], ["--phi-araa", "c"]),
        (["--JOB_ID"], []),
        (["a", "--POLICY", "safe_harbor", "--PHI_AREA=x"], ["a", "--POLICY", "safe_harbor", "--PHI_AREA=x"]),
        ([], []),
    ],
)
def test_what_glue_adds_is_taken_out(words: list[str], kept: list[str]) -> None:
    assert without_platform_options(words, ["--policy", "--phi-area", "--conf", "--job"]) == kept


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_240_000, "4.2 MB"), (2.5e11, "250 GB")]
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (60, "1:00 min"), (3727, "1:02:07 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_text_that_a_terminal_would_obey_is_spelled_out() -> None:
    assert printable("Zoë 結衣") == "Zoë 結衣"
    assert printable("a\x1bb\x07\u202e\ud800") == "a\\x1bb\\x07\\u202e\\ud800"
    assert printable("a\nb\tc") == "a\nb\tc"


def test_output_goes_to_files_without_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TERM", "xterm-256color")
    main(["explain", "Patient.name"])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("columns", ["60", "100"])
def test_tables_for_files_have_no_blanks_at_the_end_and_whole_headings(
    columns: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    made = manifest("20260101T000000Z-aaaaaa", quarantined=3)
    publish_manifest(str(tmp_path), replace(made, redactions={"Patient.photo.data": 4}, dropped_entries={"delete": 2}))
    assert main(["status", str(tmp_path)]) == 0
    assert main(["policy", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert [line.split() for line in lines if line.startswith(("Redacted", "Not written"))] == [
        ["Not", "written", "Times"],
        ["Redacted", "Times"],
    ]
    assert "Values that no masker reads, bytes of images among them." in lines


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("generalPractitioner.reference", ["generalPractitioner", ".reference"]),
        ("contact[0].name.given[0]", ["contact[0].name", ".given[0]"]),
        ("short", ["short"]),
        ("oneNameThatIsLongerThanTheColumn", ["oneNameThatIsLongerThanTheColumn"]),
    ],
)
def test_paths_are_broken_at_their_dots(path: str, lines: list[str]) -> None:
    assert at_dots(path, 20).split("\n") == lines


# ── the documents ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_command_option_and_exit_code_is_documented() -> None:
    told = (Path(__file__).resolve().parents[1] / "docs" / "cli.md").read_text()
    for name in COMMANDS:
        parser = ArgumentParser()
        importlib.import_module(f"masking.commands.{name}").add_arguments(parser)
        options = {text for action in parser._actions for text in action.option_strings} - {"-h", "--help"}
        section = told.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert {option for option in options if option not in section} <= SHARED, name
        assert all(option in told for option in options)
    codes = {cls.exit_code for cls in every_error(MaskingError)} | {BUG, INTERRUPTED, TERMINATED, UNREAD, 0, 3}
    assert all(f"\n| {code} | " in told for code in codes)


#: Explained under `run`.
SHARED = {"--policy", "--on", "--key-file", "--key-env", "--project", "--master"}


def every_error(base: type[MaskingError]) -> set[type[MaskingError]]:
    return {base, *(found for cls in base.__subclasses__() for found in every_error(cls))}


def test_the_documented_policy_is_one(tmp_path: Path) -> None:
    told = (Path(__file__).resolve().parents[1] / "docs" / "policies.md").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(told.partition("```yaml\n")[2].partition("```")[0])
    assert main(["policy", "check", str(path)]) == 0
    assert all(f"`{name}`" in told for name in registered())


def test_the_readme_shows_what_explain_says(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    shown = readme.partition("$ fhir-mask explain Patient.birthDate\n")[2].partition("```")[0]
    assert main(["explain", "Patient.birthDate"]) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()] == shown.splitlines()


@pytest.mark.parametrize(
    "killed", ["before the note", "while the note is written", "before the sample", "between the two renames"]
)
def test_a_demo_that_was_killed_is_had_again(tmp_path: Path, killed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sample"
    made = SimpleNamespace(truth_lines=0, truth="")

    def make(screen: Screen, dest: Path, patients: int, seed: int) -> SimpleNamespace:
        assert not (dest / "truth.jsonl").exists()
        (dest / "export").mkdir()
        return made

    monkeypatch.setattr(demo_command, "make_sample", make)
    monkeypatch.setattr(demo_command, "told", lambda made: "")
    folder.mkdir()
    if killed == "while the note is written":
        (folder / ".writing-1").write_text("{")
    elif killed != "before the note":
        (folder / "sample.json").write_text('{"patients": 7, "seed": 1}')
    if killed == "between the two renames":
        (folder / "truth.jsonl").write_text("x")
        (folder / "export.partial").mkdir()
    demo_command._make_sample(Screen(), folder, 7)
    assert (folder / "export").is_dir()
    (folder / "export" / "mine").write_text("x")
    demo_command._make_sample(Screen(), folder, 7)
    assert (folder / "export" / "mine").exists(), "the same sample is used again"


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is not a demo's"):
        demo_command._make_sample(Screen(), tmp_path, 7)
    assert (tmp_path / "mine.txt").exists()


def test_a_demo_of_nobody_leaves_nothing(tmp_path: Path) -> None:
    assert main(["demo", "--patients", "0", "--dest", str(tmp_path / "demo")]) == 2
    assert not (tmp_path / "demo").exists()
