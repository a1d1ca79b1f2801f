"""Streams that break, are closed or speak another encoding, signals, and a Spark that dies: the code and the one line."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import masking.commands.carry as carry_command
import masking.commands.keygen as keygen_command
import masking.commands.prepare as prepare_command
import masking.commands.run as run_command
import masking.commands.summary as summary_command
from masking.cli import TERMINATED, UNREAD, main
from masking.commands.carry import carry_out
from masking.commands.job import Order
from masking.commands.screen import Screen
from masking.commands.sparkfailed import SparkFailed


def called(words: str, redirected: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    line = f'exec "{sys.executable}" -m masking {words} {redirected}'
    return subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_who_has_gone_has_its_code(stream: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: write_end}
    words = "explain" if stream == "stdout" else "nonsense"
    done = subprocess.run([sys.executable, "-m", "masking", words], timeout=120, check=False, text=True, **streams)
    os.close(write_end)
    assert done.returncode == UNREAD
    assert "Error" not in (done.stderr or "")
    assert "Exception" not in (done.stderr or "")


def test_closed_streams_are_borne() -> None:
    done = called("policy list", ">&-")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (0, "", 1)
    done = called("nonsense", ">&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_full_disk_under_the_output_is_one_line() -> None:
    done = called("policy show realistic", "> /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_encoding_that_lacks_signs_replaces_them() -> None:
    done = called("explain Patient.birthDate", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "1987-03-14 ? " in done.stdout


def test_sigterm_has_its_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(keygen_command, "run", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert main(["keygen"]) == TERMINATED
    assert "An unfinished run is not published" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


# ── a run ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("quarantine", "code"), [(None, 0), ("/phi/q", 3)])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), BrokenPipeError(errno.EPIPE, "gone")])
def test_a_published_run_is_one_whether_its_summary_can_be_printed_or_not(
    error: OSError,
    quarantine: str | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    result = SimpleNamespace(manifest=None, run_id="r-1", destination="/masked", quarantine=quarantine)
    monkeypatch.setattr(prepare_command, "prepare", lambda order: None)
    monkeypatch.setattr(carry_command, "carry_out", lambda prepared, screen: result)
    monkeypatch.setattr(summary_command, "show_summary", fail)
    assert run_command.carry(Order(), Screen()) == code
    assert "run r-1 is published: fhir-mask status /masked" in capsys.readouterr().err


class Py4JNetworkError(Exception):
    """By its name alone is it known."""


Py4JNetworkError.__module__ = "py4j.protocol"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), SparkFailed),
        (EOFError(), SparkFailed),
        (Py4JNetworkError(), SparkFailed),
        (BrokenPipeError(errno.EPIPE, "x"), BrokenPipeError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
def test_a_spark_whose_process_ended_is_no_storage_that_fails(
    error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    gone = SimpleNamespace(version="4", stop=fail, sparkContext=SimpleNamespace(cancelAllJobs=fail))
    monkeypatch.setattr(carry_command, "open_session", lambda *_: gone)
    monkeypatch.setattr(carry_command, "mask", fail)
    prepared: Any = SimpleNamespace(
        inputs=SimpleNamespace(files=(), bytes=0),
        made_with=SimpleNamespace(policy="p"),
        order=SimpleNamespace(master=None, conf={}, source=(), subjects=()),
        destination="",
        phi_area="",
        engine=None,
        settings=SimpleNamespace(formats="ndjson"),
        drop=None,
    )
    with pytest.raises(kind) as caught:
        carry_out(prepared, Screen())
    if kind is SparkFailed:
        assert "spark.driver.memory" in str(caught.value)


@pytest.mark.parametrize(
    "words", ["run a b --phi-araa c", "run a b --phi-area c --types Patinet", "run --job /nowhere"]
)
def test_a_slip_is_told_before_spark_and_the_engine_are_imported(words: str) -> None:
    code = (
        "import sys; from masking.cli import main; code = main(sys.argv[1:]); "
        "print(code, sorted({'pyspark', 'numba', 'pandas'} & set(sys.modules)))"
    )
    words_ = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(words_, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "2 []\n", done.stderr
