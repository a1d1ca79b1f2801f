"""The quickstart notebook: clean in the repository, and it runs from top to bottom."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"


def read(path: Path = NOTEBOOK):
    return nbformat.read(path, as_version=4)


def test_outputs_are_stripped() -> None:
    """What a run shows may be anybody's data; and a diff of the notebook is to show what was written."""
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_it_is_valid() -> None:
    nbformat.validate(read())


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of the notebook machinery are not ours to mend
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where the notebook writes
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))))
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    book = read()
    nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.data["text/plain"] for output in shown if "data" in output and "text/plain" in output.data]
    assert sum("image/png" in output.get("data", {}) for output in shown) == 1
    assert any("before" in text and "birth date" in text for text in texts)
    assert any(text.startswith("'0 of ") for text in texts), "birth dates came through"
