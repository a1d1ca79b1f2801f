"""The Makefile takes the Pythons that the package takes, and no other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("version", "is_taken"), [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_a_python_is_taken_by_its_version(tmp_path: Path, version: tuple[int, ...], is_taken: bool) -> None:
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    rule = 'probe: ; @$(find_python); echo "found $$python"'
    words = ["make", "--no-print-directory", f"PYTHON={python}", f"--eval={rule}", "probe"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout == f"found {python}\n") is is_taken, done.stderr
    assert ("No Python 3.11 to 3.13" in done.stderr) is not is_taken


def test_the_package_says_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    told = [int(found[1]) for one in project["classifiers"] if (found := re.search(r":: 3\.([0-9]+)$", one))]
    assert told == [11, 12, 13]
