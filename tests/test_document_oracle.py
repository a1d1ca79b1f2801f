"""The engine against the oracle: documents made up from R4's tables, HL7's examples and a real export."""

import functools
import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from documents import Maker, check, dump, plan
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle

from benchmarks.examples import EXAMPLES, WHY_NOT
from masking.document import Engine, answers, memory, subjects

#: `SEEDS=5000 pytest tests/test_document_oracle.py` looks harder.
SEEDS = int(os.environ.get("SEEDS", "60"))
REAL = Path(__file__).parents[2] / "shared" / "data"

seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("policy", ["realistic", "awkward", "fhir_patient_resource"])
@settings(max_examples=SEEDS, deadline=None)
@given(seed=seeds)
def test_valid_documents(policy, seed):
    check([Maker(Random(seed)).document()], policy)


@pytest.mark.parametrize("policy", ["realistic", "awkward"])
@settings(max_examples=SEEDS, deadline=None)
@given(seed=seeds, wrong=st.sampled_from([0.02, 0.1, 0.4]))
def test_documents_with_wrong_kinds_anywhere(policy, seed, wrong):
    check([Maker(Random(seed), wrong=wrong).document()], policy)


def test_a_batch_is_its_documents_in_any_order_after_any_others():
    """One engine after many others' documents, with all its ways open, says what a fresh one says of each alone."""
    made = [Maker(Random(seed % 50), wrong=0.05 * (seed % 2), fill=0.4).document() for seed in range(300)]
    alone = {document: Engine(plan()).mask_batch([document]) for document in made[:60]}
    engine = Engine(plan())
    for batch_size, order in ((1, 1), (300, 2), (7, 3)):
        shuffled = Random(order).sample(made, len(made))
        for start in range(0, len(shuffled), batch_size):
            part = shuffled[start : start + batch_size]
            for document, masked in zip(part, engine.mask_batch(part).masked, strict=True):
                if document in alone:
                    assert masked == alone[document].masked[0]


def test_forgetting_changes_nothing(monkeypatch):
    """With no memory at all, and after many batches."""
    made = [Maker(Random(seed), wrong=0.05 * (seed % 2)).document() for seed in range(60)] * 2
    wanted = Engine(plan()).mask_batch(made)
    for module, limit in ((answers, "_MEMORY"), (memory, "_MOST"), (subjects, "_MEMORY")):
        monkeypatch.setattr(module, limit, 0)
    engine = Engine(plan())
    for _ in range(3):
        assert engine.mask_batch(made) == wanted


def test_a_pickled_engine_says_the_same_and_holds_no_memory():
    import pickle  # noqa: PLC0415

    engine = Engine(plan())
    made = [Maker(Random(seed)).document() for seed in range(5)]
    before = engine.mask_batch(made)
    travelled = pickle.dumps(engine)
    assert len(travelled) < 1_000_000
    assert pickle.loads(travelled).mask_batch(made) == before


# ── documents of others ──────────────────────────────────────────────────────────────────────────────────────────────


class _Spelled(float):
    """A float that is written as it was read."""

    def __new__(cls, text: str) -> "_Spelled":
        made = float.__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text


@functools.cache
def examples() -> Sequence[bytes]:
    """HL7's examples, each on one line."""
    files = sorted(EXAMPLES.glob("*.json"))
    return [dump(json.loads(file.read_text(), parse_float=_Spelled)) for file in files]


@functools.cache
def export() -> Sequence[bytes]:
    """A real export's lines, and Bundles as they lie there."""
    files, bundles = (
        [gzip.decompress(file.read_bytes()) for file in sorted(REAL.glob(f"{n}/*.gz"))] for n in ("bulk*", "bundles")
    )
    return [*(line for file in files for line in file.split(b"\n") if line.strip()), *bundles]


def _hold(found: Sequence[bytes], policy: str) -> None:
    """A fresh engine, twice over."""
    oracle, engine = Oracle(plan(policy)), Engine(plan(policy))
    expected = [oracle.mask(document) for document in found]
    for _ in range(2):
        batch = engine.mask_batch(found)
        reasons = {fault.index: fault.reason for fault in batch.faults}
        assert reasons == {index: answer.reason for index, answer in enumerate(expected) if answer.reason}
        assert [i for i, answer in enumerate(expected) if answer.masked != batch.masked[i]] == []


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=WHY_NOT)
@pytest.mark.slow
def test_hl7_examples():
    assert len(examples()) > 5000
    _hold(examples(), "realistic")


@pytest.mark.skipif(not REAL.is_dir(), reason="there is no real export beside the repository")
def test_a_real_export():
    found = [*Random(1).sample(export()[:-6], 800), *export()[-6:]]
    _hold(found, "realistic")


def test_the_oracle_itself_on_one_patient():
    """Known answers, so that both cannot be wrong alike: what stays, what goes, what is put in."""
    source = (
        b'{"resourceType":"Patient","id":"p","active":true,"unheard":1,"gender":"male",'
        b'"maritalStatus":{"coding":[{"system":"http://x","code":"M","display":"Wed"}],"text":"Wed"},"multipleBirthInteger":1.00}'
    )
    answer = Oracle(plan()).mask(source)
    pseudonym = json.loads(answer.masked)["id"]
    system = json.loads(answer.masked)["maritalStatus"]["coding"][0]["system"]
    assert pseudonym.startswith("id-")
    assert ".example" in system and "http://x" not in system
    assert answer.masked == (
        b'{"resourceType":"Patient","id":"%b","meta":{"security":[%b,%b]},"active":true,"gender":"male",'
        b'"maritalStatus":{"coding":[{"system":"%s","code":"M","display":"[redacted]"}],"text":"[redacted]"},'
        b'"multipleBirthInteger":1.00}'
    ) % (
        pseudonym.encode(),
        b'{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"PSEUDED","display":"pseudonymized"}',
        b'{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}',
        system.encode(),
    )
    assert answer.redactions == {"Patient.?": 1}
    assert Engine(plan()).mask_batch([source]).masked == [answer.masked]
