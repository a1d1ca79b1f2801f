"""What a run is told: job files, the command line over them, and what is checked before Spark starts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from masking.cli import main
from masking.commands.job import Order, order_of, read_job
from masking.commands.prepare import only, prepare
from masking.commands.run import add_arguments
from masking.commands.unreadable import told_by_name
from masking.errors import InputError, KeyRefused, PolicyError, StorageError, UnreadableFile, UsageError
from masking.keys import MasterKey, write_key_file
from masking.policy.explain import example_policy
from masking.policy.specs import TypeAction
from masking.report.manifest import MadeWith, Manifest, publish_manifest

JOBS = Path(__file__).resolve().parents[1] / "conf" / "jobs"


def arguments(*words: str) -> Namespace:
    parser = ArgumentParser()
    add_arguments(parser)
    return parser.parse_intermixed_args(list(words))


@pytest.fixture
def job(tmp_path: Path) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(
        "source: [a, b]\ndestination: out\nphi_area: phi\npolicy: realistic\nkey_file: key\ntypes: [Patient]\n"
        "conf: {spark.ui.enabled: false, spark.x: '1'}\nmax_document_bytes: 64M\nallow_other_key: true\n"
        "on: 2026-01-01\nbundles: split\nformats: [ndjson, parquet, delta]\n"
        "partition_by: Condition, Encounter\nresource_column: true\n"
        "change_feed: true\njson_column: fhir\nincremental: true\n"
    )
    return path


def test_a_job_file_says_everything(job: Path) -> None:
    assert order_of(arguments("--job", str(job))) == Order(
        source=("a", "b"),
        destination="out",
        phi_area="phi",
        policy="realistic",
        key_file="key",
        types=("Patient",),
        conf={"spark.ui.enabled": "false", "spark.x": "1"},
        max_document_bytes=64 << 20,
        allow_other_key=True,
        on="2026-01-01",
        bundles="split",
        formats=("ndjson", "parquet", "delta"),
        partition_by=("Condition", "Encounter"),
        resource_column=True,
        change_feed=True,
        json_column="fhir",
        incremental=True,
    )


def test_the_command_line_wins(job: Path) -> None:
    words = ["--job", str(job), "c", "elsewhere", "--key-env", "K", "--types", "Claim, Group", "--on", "2025-12-31"]
    order = order_of(arguments(*words, "--conf", "spark.x=a=b", "--target-file-bytes", "5", "--bundles", "keep"))
    assert order.bundles == "keep"
    assert order.source == ("c",)
    assert order.destination == "elsewhere"
    assert order.phi_area == "phi"
    assert (order.key_file, order.key_env) == (None, "K")
    assert order.types == ("Claim", "Group")
    assert order.on == "2025-12-31"
    assert order.conf == {"spark.ui.enabled": "false", "spark.x": "a=b"}
    assert order.target_file_bytes == 5


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--formats", "ndjson", "--partition-by", "year"), "--formats asks for none"),
        (("--formats", "ndjson", "--resource-column"), "--formats asks for none"),
        (("--change-feed",), "ndjson,parquet,delta"),
        (("--keep-originals", "x"), "--keep-originals is for --in-place alone"),
        (("--keep-people",), "--keep-people is for --in-place alone"),
    ],
)
def test_what_would_be_passed_over_is_refused(words: tuple[str, ...], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        order_of(arguments("a", "b", "--phi-area", "p", *words))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--k", "5"), "give --verify too"),
        (("--no-verify",), "--no-verify is for --in-place alone"),
        (("--in-place", "--verify", "--no-verify"), "not both"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything(
    words: tuple[str, ...], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["a"] if "--in-place" in words else ["a", "b"]
    assert main(["run", *places, "--phi-area", "p", *words]) == 2
    assert part in capsys.readouterr().err


def test_formats_and_partitions(tmp_path: Path) -> None:
    order = order_of(arguments("a", "b", "--phi-area", "p", "--formats", "ndjson, parquet", "--partition-by", "year"))
    assert (order.formats, order.partition_by, order.resource_column) == (("ndjson", "parquet"), ("year",), False)
    for option, text, said in (
        ("--formats", "ndjson,parqet", "did you mean 'parquet'"),
        ("--formats", "parquet", "ndjson is always written"),
        ("--formats", "ndjson,delta", "delta wants parquet"),
        ("--partition-by", "Observatoin", "did you mean 'Observation'"),
        ("--partition-by", "Location", "main date"),
        ("--partition-by", "year,Condition", "main date"),
    ):
        with pytest.raises(UsageError, match=f"{option}: .*{said}"):
            order_of(arguments("a", "b", "--phi-area", "p", option, text))
    (tmp_path / "job.yaml").write_text("formats: parquet\npartition_by: [Location]\n")
    with pytest.raises(PolicyError) as refused:
        read_job(tmp_path / "job.yaml")
    assert "job.yaml:1 $.formats: ndjson is always written" in str(refused.value)
    assert "job.yaml:2 $.partition_by: expected auto" in str(refused.value)


def test_bundles_are_kept_or_split() -> None:
    with pytest.raises(UsageError, match="keep or split"):
        order_of(arguments("a", "b", "--phi-area", "p", "--bundles", "both"))


def test_options_may_stand_between_the_paths() -> None:
    order = order_of(arguments("a", "--phi-area", "p", "b", "--policy", "x", "c"))
    assert (order.source, order.destination) == (("a", "b"), "c")


def test_the_shipped_job_file_is_a_job_file() -> None:
    order = read_job(JOBS / "local.yaml")
    assert order.phi_area == "phi"
    assert order.conf["spark.driver.memory"] == "2g"


def test_all_that_is_wrong_in_a_job_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(
        "source: {a: b}\ndestinaton: x\nphi_area: [1]\ntypes: [Patient, Obsrvation]\nallow_other_key: yes\n"
        "max_document_bytes: many\nconf: {a: {b: c}}\nmax_document_bytes: 3\nbundles: splt\n"
        "on: 2020-13-45\nmaster: loca\nproject: []\n"
    )
    with pytest.raises(PolicyError) as caught:
        read_job(path)
    assert {problem.line for problem in caught.value.problems} == set(range(1, 13))
    assert "did you mean 'destination'?" in str(caught.value)
    assert "did you mean 'Observation'?" in str(caught.value)
    assert "did you mean 'split'?" in str(caught.value)


@pytest.mark.parametrize("place", ["key_file", "key_env"])
def test_a_key_in_a_job_file_is_refused_and_not_repeated(order: Order, place: str) -> None:
    pasted = "fhir-mask-key-1:0beebeef"
    with pytest.raises(KeyRefused, match="that is a key") as refused:
        prepare(replaced(order, **{"key_file": None, place: pasted}))
    assert pasted not in str(refused.value)


def test_a_setting_of_spark_has_a_name_in_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("conf:\n  spark.ui.enabled: false\n  Oberhuber=1: x\n")
    with pytest.raises(PolicyError, match=r"job.yaml:3 \$.conf: expected names of Spark's settings") as caught:
        read_job(path)
    assert "Oberhuber" not in str(caught.value)


def test_no_types_are_not_all_types(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("types: []\n")
    with pytest.raises(PolicyError, match=r"job.yaml:1 \$.types: names no type"):
        read_job(path)


@pytest.mark.parametrize("text", ["", "[]", "- a", "a: &b [*b]", "source: !x y", "\x00"])
def test_what_is_no_job_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError):
        read_job(path)


# ── before Spark ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def order(tmp_path: Path) -> Order:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").write_text('{"resourceType":"Patient"}\n')
    write_key_file(tmp_path / "key")
    return Order((str(tmp_path / "in"),), str(tmp_path / "out"), str(tmp_path / "phi"), key_file=str(tmp_path / "key"))


def replaced(order: Order, **changes: object) -> Order:
    return Order(**{name: changes.get(name, getattr(order, name)) for name in Order.__dataclass_fields__})  # type: ignore[arg-type]


def test_a_prepared_run_names_what_it_is_made_with(order: Order, tmp_path: Path) -> None:
    prepared = prepare(replaced(order, on="2026-01-01", max_document_bytes=1000, target_file_bytes=2000))
    assert prepared.made_with.policy == "realistic"
    assert prepared.made_with.reference_date == "2026-01-01"
    assert prepared.made_with.key_fingerprint == MasterKey.from_file(tmp_path / "key").keyring().fingerprint
    assert (prepared.engine.max_bytes, prepared.settings.line_bytes, prepared.settings.file_bytes) == (1000, 1000, 2000)
    assert [file.size for file in prepared.inputs.files] == [27]
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "phi").exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key_file": "/nowhere"}, KeyRefused),
        ({"key_file": None, "key_env": "NO_SUCH_VARIABLE"}, KeyRefused),
        ({"project": " "}, UsageError),
        ({"policy": "realstic"}, UsageError),
        ({"source": ("/nowhere",)}, InputError),
        ({"max_document_bytes": -1}, UsageError),
    ],
)
def test_what_can_fail_without_spark_fails_before_it(order: Order, changes: dict[str, object], error: type) -> None:
    with pytest.raises(error):
        prepare(replaced(order, **changes))


@pytest.mark.parametrize(("place", "name"), [("out", "destination"), ("phi", "PHI area")])
def test_a_place_that_cannot_be_written_is_told_before_spark(
    order: Order, tmp_path: Path, place: str, name: str
) -> None:
    (tmp_path / place).write_text("a file")
    with pytest.raises(StorageError, match=f"cannot write to the {name} {tmp_path / place}: Not a directory"):
        prepare(order)


@pytest.mark.parametrize(
    ("place", "name"), [("out", "destination"), ("out/deep", "destination"), ("in", "source"), ("link", "source")]
)
def test_a_key_does_not_lie_with_the_data(order: Order, tmp_path: Path, place: str, name: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "in")
    folder = tmp_path / place
    folder.mkdir(parents=True, exist_ok=True)
    write_key_file(folder / "key")
    with pytest.raises(UsageError, match=f"the key file .* is inside the {name}"):
        prepare(replaced(order, key_file=str(folder / "key")))


def test_a_key_may_lie_beside_the_files_that_a_glob_names(order: Order, tmp_path: Path) -> None:
    write_key_file(tmp_path / "in" / "key")
    prepare(replaced(order, source=(str(tmp_path / "in" / "*.ndjson"),), key_file=str(tmp_path / "in" / "key")))


def test_another_key_is_refused_unless_told_to(order: Order, tmp_path: Path) -> None:
    made_with = MadeWith("realistic", "", "fp-other", "default", "2025-05-05")
    publish_manifest(str(tmp_path / "out"), Manifest("r", "", "", 1.0, made_with, 0, 0, {}, ()))
    with pytest.raises(KeyRefused, match="--allow-other-key"):
        prepare(order)
    prepared = prepare(replaced(order, allow_other_key=True))
    assert prepared.settings.allow_other_key
    assert prepared.made_with.reference_date == "2025-05-05"


def test_only_some_types_is_another_policy() -> None:
    policy = example_policy("realistic")
    assert only(policy, ()) is policy
    some = only(policy, ("Patient", "Claim"))
    assert some.types["Patient"].action is TypeAction.MASK
    assert some.types["Observation"].action is TypeAction.REDACT
    assert some.sha256 not in (policy.sha256, only(policy, ("Patient",)).sha256)
    assert some.sha256 == only(policy, ("Claim", "Patient", "Claim")).sha256
    with pytest.raises(UsageError, match="lets no Claim through"):
        only(example_policy("fhir_patient_resource"), ("Claim",))


def test_a_file_that_cannot_be_read_is_named_at_a_terminal_alone() -> None:
    error, files = UnreadableFile.numbered(2, "cut off"), ["/in/a.ndjson", "/in/Joe_Bloggs.ndjson"]
    assert str(told_by_name(error, files, at_terminal=True)).endswith("cut off: /in/Joe_Bloggs.ndjson")
    assert told_by_name(error, files, at_terminal=False) is error
    assert told_by_name(error, files[:1], at_terminal=True) is error
    assert told_by_name(UnreadableFile("no number"), files, at_terminal=True).exit_code == InputError.exit_code


def test_what_a_verification_measures_is_told_by_line_and_file(job: Path, tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_text("quasi_identifiers: [age_band, sex]\nk: 5\npopulation: 7000\n")
    said = read_job(tmp_path / "risk.yaml")
    assert (said.quasi_identifiers, said.k, said.population) == (("age_band", "sex"), 5, 7000)
    found = order_of(
        arguments("--job", str(job), "--quasi-identifiers", "race, zip3", "--k", "20", "--population", "9")
    )
    assert (found.quasi_identifiers, found.k, found.population) == (("race", "zip3"), 20, 9)


@pytest.mark.parametrize(
    "words", [("--quasi-identifiers", "name"), ("--quasi-identifiers", "sex,sex"), ("--k", "1"), ("--population", "-3")]
)
def test_what_cannot_be_measured_is_refused(job: Path, words: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match=words[0]):
        order_of(arguments("--job", str(job), *words))


def test_what_cannot_be_measured_is_refused_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("quasi_identifiers: [name]\nk: many\npopulation: 0.5\n")
    with pytest.raises(PolicyError) as refused:
        read_job(tmp_path / "job.yaml")
    assert all(f"job.yaml:{line} $.{key}: expected" in str(refused.value)
               for line, key in enumerate(("quasi_identifiers", "k", "population"), 1))  # fmt: skip
