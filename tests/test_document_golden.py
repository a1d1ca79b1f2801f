"""Golden documents: `tests/golden/<Type>.in.json` masked under a fixed key by the policy `realistic`.

A changed `.out.json` is a breaking change: what was masked yesterday no longer agrees with what is masked today. If it
is meant, run `python tests/golden/make.py` and list it in CHANGELOG.md under Changed, with the word "breaking".
"""

import json

import pytest
from documents import GOLDEN, check, dump, one

SOURCES = sorted(GOLDEN.glob("*.in.json"))
BREAKING = "is not the golden: a breaking change (see the top of this file)"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name.partition(".")[0])
def test_goldens(source):
    document = source.read_bytes().rstrip(b"\n")
    golden = source.with_name(source.name.replace(".in.", ".out.")).read_bytes().rstrip(b"\n")
    assert one(document) == golden, f"{source.name} {BREAKING}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name.partition(".")[0])
def test_white_space_decides_nothing(source):
    document = json.loads(source.read_bytes())
    golden = json.loads(source.with_name(source.name.replace(".in.", ".out.")).read_bytes())
    for spelled in (dump(document), json.dumps(document).encode()):
        assert json.loads(one(spelled)) == golden
        check([spelled])


def test_there_is_a_golden_for_each_input_and_no_other():
    assert len(SOURCES) >= 10
    assert {path.name for path in GOLDEN.glob("*.out.json")} == {path.name.replace(".in.", ".out.") for path in SOURCES}
