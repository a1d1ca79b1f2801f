"""`run --in-place` before Spark starts: what it says it would do, what it refuses, and what a job file may say."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from masking.cli import main
from masking.commands.job import order_of
from masking.commands.run import add_arguments
from masking.errors import UsageError
from masking.keys import write_key_file
from masking.spark.inplace.journal import JOURNAL

LINE = b'{"resourceType":"Patient","id":"p1"}\n'


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line in place that lacks `--yes`."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Joe_Bloggs.ndjson").write_bytes(LINE * 100)
    write_key_file(tmp_path / "key")
    places = [str(tmp_path / "in"), "--in-place", "--phi-area", str(tmp_path / "phi")]
    return ["run", *places, "--key-file", str(tmp_path / "key")]


def test_without_yes_it_says_what_it_would_do(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert "1 file, 3.7 kB" in said.out
    assert "about 4.1 kB in the PHI area" in said.out
    assert "nothing is done without --yes" in said.err
    assert "Joe" not in said.out + said.err
    assert (tmp_path / "in" / "Joe_Bloggs.ndjson").read_bytes() == LINE * 100
    assert {path.name for path in tmp_path.iterdir()} == {"in", "key"}
    assert main([*words, "--keep-originals", str(tmp_path / "kept")]) == 2
    assert "kept in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--undo"], "nothing is done without --yes"),
        (["--types", "Patient"], "would delete all other types"),
        (["--bundles", "split"], "keep their format and layout"),
        (["--formats", "ndjson"], "keep their format and layout"),
        (["--change-feed"], "keep their format and layout"),
        (["--incremental"], "knows by itself"),
        (["--target-file-bytes", "64M"], "stay as many as they are"),
        (["--rename-files", "--keep-file-names"], "not both"),
        (["--keep-originals", ""], "--keep-originals is empty"),
    ],
)
def test_what_does_not_go_with_it_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main([*words, *more]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    ["--keep-people", "--yes", "--undo", "--leave-others", "--rename-files", "--keep-file-names", "--no-verify"],
)
def test_its_options_mean_nothing_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main(["run", str(tmp_path), str(tmp_path / "out"), "--phi-area", str(tmp_path / "phi"), option]) == 2
    assert f"{option} is for --in-place alone" in capsys.readouterr().err


def test_the_key_lies_apart_from_the_source(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").rename(tmp_path / "in" / "key")
    words[-1] = str(tmp_path / "in" / "key")
    assert main([*words, "--yes"]) == 2
    assert "is inside the source" in capsys.readouterr().err


def test_a_job_file_says_all_but_yes(tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(
        "source: [a, b]\nphi_area: phi\nin_place: true\nkeep_originals: kept\nleave_others: true\nrename_files: true\n"
    )
    parser = ArgumentParser()
    add_arguments(parser)
    order = order_of(parser.parse_intermixed_args(["--job", str(job)]))
    assert (order.source, order.destination, order.in_place) == (("a", "b"), None, True)
    assert (order.keep_originals, order.leave_others, order.rename_files) == ("kept", True, True)
    assert order_of(parser.parse_intermixed_args(["c", "--job", str(job)])).source == ("c",)
    job.write_text("source: a\ndestination: out\nphi_area: phi\nin_place: true\n")
    with pytest.raises(UsageError, match="has no DESTINATION"):
        order_of(parser.parse_intermixed_args(["--job", str(job)]))


@pytest.mark.parametrize("command", ["status", "report"])
@pytest.mark.parametrize("more", [[], ["--run", "20260101T000000Z-aaaa"]])
def test_what_a_run_in_place_left_is_told_by_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, more: list[str]
) -> None:
    for run_id in ("20260101T000000Z-aaaa", "20260102T000000Z-bbbb"):
        (tmp_path / "phi" / "runs" / run_id).mkdir(parents=True)
        (tmp_path / "phi" / "runs" / run_id / JOURNAL).write_text("{}")
    assert main([command, str(tmp_path / "phi"), *more]) == 7
    said = capsys.readouterr().err
    assert "PHI area of a run in place" in said and "20260102T000000Z-bbbb" in said.replace("\n", "").replace(" ", "")
    (tmp_path / "in").mkdir()
    assert main([command, str(tmp_path / "in"), *more]) == 7
    assert "no finished run" in (said := capsys.readouterr().err) or "no run" in said
