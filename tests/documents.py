"""What the document engine's tests share: a key, policies, the ways through the engine, and documents made up from R4's tables."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from oracle import Oracle

from masking.document import Batch, Engine
from masking.fhir.elements import Element, children, contents, json_kind, resource_types
from masking.identity import People, gather
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy

Resource = dict[str, Any]
GOLDEN = Path(__file__).parent / "golden"
ON = "2024-06-15"
NEVER = 10**9


def keyring(name: str = "test"):
    """The subkeys of a fixed key: no secret, for tests alone."""
    return MasterKey.from_bytes(sha256(name.encode()).digest()).keyring()


@functools.cache
def plan(policy: str = "realistic") -> Plan:
    """A shipped policy, or `awkward`, which asks for what the shipped ones do not: numbers masked, ids and labels redacted."""
    source = GOLDEN.parent / "data" / "awkward.yaml" if policy == "awkward" else policy
    return Plan(read_policy(source, reference_date=ON), keyring())


def mask(documents: Sequence[bytes], policy: str = "realistic") -> Batch:
    """What the engine makes of documents; asked twice, for the second time it remembers."""
    engine = Engine(plan(policy))
    first = engine.mask_batch(documents)
    again = engine.mask_batch(documents)
    assert first == again, "the second time is not as the first"
    return first


def one(document: object, policy: str = "realistic") -> bytes:
    """The one masked document."""
    batch = mask([document if isinstance(document, bytes) else dump(document)], policy)
    assert batch.faults == [] and batch.masked[0] is not None
    return batch.masked[0]


def dump(document: object) -> bytes:
    """A JSON text without white space."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def masked(*documents: Resource, batch: int = 0) -> list[Resource]:
    """What becomes of an export of these documents, whose people are known; in batches of so many."""
    lines = [dump(document) for document in documents]
    engine = Engine(plan()).with_people(People(gather(lines)))
    found = []
    for start in range(0, len(lines), batch or len(lines)):
        done = engine.mask_batch(lines[start : start + (batch or len(lines))])
        assert done.faults == []
        found += done.masked
    return [json.loads(line or b"") for line in found]


def check(documents: Sequence[bytes], policy: str = "realistic") -> None:
    """The engine makes of them what the oracle makes of them."""
    oracle = Oracle(plan(policy))
    expected = [oracle.mask(document) for document in documents]
    batch = mask(documents, policy)
    faults = {fault.index: fault.reason for fault in batch.faults} | dict.fromkeys(batch.dropped, "dropped-by-policy")
    for index, (document, answer) in enumerate(zip(documents, expected, strict=True)):
        seen = f"policy {policy!r}, document {document[:2000]!r}"
        assert batch.masked[index] == answer.masked, f"{seen}: {batch.masked[index]!r} is not {answer.masked!r}"
        assert faults.get(index) == answer.reason, f"{seen}: {faults.get(index)} is not {answer.reason}"
        if answer.masked is not None:
            json.loads(answer.masked)
            assert batch.resource_types[index] == answer.resource_type
    counted = sum((answer.redactions for answer in expected), start=Counter())
    assert +batch.redactions == counted, f"{batch.redactions} is not {counted} for {documents[:3]}"


# ── documents made up ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Maker:
    """Makes up resources of any type out of R4's tables: valid ones and, at the rate `wrong`, ones that are not."""

    random: Random
    wrong: float = 0.0
    depth: int = 4
    fill: float = 0.25

    def document(self) -> bytes:
        """A whole document, in one of several styles of white space."""
        resource = self.resource(self.random.choice(_TYPES), 0)
        style = self.random.randrange(4)
        self.comma, self.colon = ((",", ":"), (", ", ": "), (",", ":"), ("", ""))[style]
        text = self.write(resource)
        return (" \t" + text + "\r" if style == 3 else text).encode("utf-8", "surrogatepass")

    # ── values: dicts as lists of pairs, lists, and ready JSON texts ──

    def resource(self, resource_type: str, depth: int) -> list:
        """A resource as pairs of keys and values."""
        pairs = self.object(resource_type, depth)
        pairs.insert(
            0 if self.random.random() < 0.8 else self.random.randrange(len(pairs) + 1),
            ("resourceType", f'"{resource_type}"'),
        )
        return pairs

    def object(self, content: str, depth: int) -> list:
        """An object of a content type as pairs of keys and values."""
        pairs = []
        taken = set()
        for element in children(content).values():
            chance = 0.9 if element.min else self.fill
            chance = max(chance, 0.5) if element.name in _LIKELY else chance
            if (element.choice and element.choice in taken) or self.random.random() > chance:
                continue
            if element.content in ("Resource", "Extension") and self.random.random() < 0.6:
                continue
            value = self.property(element, depth)
            if value is None:
                continue
            taken.add(element.choice)
            pairs.append((element.name, value))
            if element.is_primitive and self.random.random() < 0.15:
                pairs.append(("_" + element.name, self.companion(element, value, depth)))
                if self.random.random() < 0.3:
                    pairs[-2:] = pairs[-1:] if self.random.random() < 0.5 else pairs[-1:-3:-1]
        if self.wrong and self.random.random() < self.wrong:
            pairs.append((self.random.choice(["unheard", "_status", "_meta", "value", "_x", ""]), self.odd()))
        if self.random.random() < 0.3:
            self.random.shuffle(pairs)
        seen: set[str] = set()
        return [pair for pair in pairs if not (pair[0] in seen or seen.add(pair[0]))]

    def property(self, element: Element, depth: int) -> object:
        """The value of a property; None where it would nest too deep."""
        if element.content is not None and depth >= self.depth:
            return None
        if self.wrong and self.random.random() < self.wrong:
            return self.odd()
        if not element.is_array:
            return self.value(element, depth)
        values = [self.value(element, depth) for _ in range(self.random.choice([1, 1, 1, 2, 2, 3]))]
        if self.wrong:
            values = [self.odd() if self.random.random() < self.wrong else value for value in values]
        return values

    def value(self, element: Element, depth: int) -> object:
        """One value of an element."""
        if element.content == "Resource":
            return self.resource(
                self.random.choice(["Patient", "Observation", "Practitioner", self.random.choice(_TYPES)]), depth + 1
            )
        if element.content == "Extension":
            return self.extension(depth)
        if element.content is not None:
            return self.object(element.content, depth + 1)
        return self.primitive(element)

    def extension(self, depth: int) -> list:
        """An extension: known or not, nested or not."""
        url = self.random.choice(_EXTENSIONS)
        pairs = [("url", json.dumps(url))]
        if depth < self.depth and self.random.random() < 0.3:
            pairs.append(("extension", [self.extension(depth + 1) for _ in range(2)]))
        else:
            options = [e for e in children("Extension").values() if e.choice and (e.is_primitive or depth < self.depth)]
            element = self.random.choice(options)
            pairs.append((element.name, self.value(element, depth)))
        if self.random.random() < 0.1:
            pairs.reverse()
        return pairs

    def companion(self, element: Element, value: object, depth: int) -> object:
        """The companion of a primitive."""

        def single() -> object:
            return [("id", '"a1"')] if self.random.random() < 0.3 else [("extension", [self.extension(depth + 1)])]

        if not element.is_array:
            return single()
        length = len(value) if isinstance(value, list) else 1
        return [single() if self.random.random() < 0.5 else "null" for _ in range(length)]

    def primitive(self, element: Element) -> str:
        """A primitive as JSON text."""
        kind = json_kind(element.type)
        if kind != "string":
            return self.random.choice(["true", "false"] if kind == "boolean" else _NUMBERS)
        if element.name == "system" and self.random.random() < 0.7:
            return json.dumps(self.random.choice(_SYSTEMS))
        if element.name == "gender":
            return self.random.choice(['"male"', '"female"'])
        if element.name == "display" and self.random.random() < 0.5:
            return '"Survey"'
        if element.name == "text" and self.random.random() < 0.5:
            return self.random.choice(['"Survey"', '"SURVEY"', '"Sur\\u0076ey"'])
        text = self.random.choice(_TEXTS.get(element.type, _STRINGS))
        if self.wrong and self.random.random() < self.wrong:
            text = self.random.choice(
                ["", "2024-02-31", "2024-01-01T24:00:00Z", "\x00", "🏥\u2028", "#p1", "Patient/", "a" * 300]
            )
        return json.dumps(text, ensure_ascii=self.random.random() < 0.5)

    def odd(self) -> object:
        """A value of the wrong kind, nearly everywhere."""
        return self.random.choice(_ODD)

    # ── text ──

    def write(self, value: object) -> str:
        """A value as JSON text."""
        if isinstance(value, str):
            return value
        assert isinstance(value, list)
        if value and isinstance(value[0], tuple):
            texts = [json.dumps(key) + (self.colon or self.gap(":")) + self.write(item) for key, item in value]
            return self.between("{", texts, "}")
        return (
            self.between("[", [self.write(item) for item in value], "]")
            if value or self.random.random() < 0.5
            else "{}"
        )

    def between(self, opening: str, texts: list[str], closing: str) -> str:
        """Texts joined in the document's style."""
        if self.comma:
            return opening + self.comma.join(texts) + closing
        joined = "".join(text + self.gap(",") for text in texts[:-1]) + "".join(texts[-1:])
        return opening + self.gap("") + joined + self.gap("") + closing

    def gap(self, mark: str) -> str:
        """A separator in white space of any kind."""
        return self.random.choice(["", " ", "\n  ", "\t"]) + mark + self.random.choice(["", " ", "\r\n"])


_TYPES = sorted(resource_types())
assert set(_TYPES) <= set(contents())
_LIKELY = {
    "id",
    "subject",
    "patient",
    "system",
    "code",
    "coding",
    "family",
    "given",
    "gender",
    "reference",
    "birthDate",
    "meta",
}
_NUMBERS = ["0", "1", "1.00", "1E2", "-0.5e-3", "57.177223184091154", "123456789012345678901234567890"]
_SYSTEMS = [
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/us-npi",
    "urn:ietf:rfc:3986",
    "http://local.example/codes",
    "phone",
    "email",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
]
_UUID = "6d75c0ee-3f5b-4b8d-9c33-0123456789ab"
_STRINGS = [
    "Survey",
    "Ann Other",
    "Ünïcödé 李",
    'with "quotes" and \\ back',
    "line\nbreak",
    "/slash/",
    "\\u0041",
    "a\\",
    "REDACTED",
    "PSEUDED",
]
_DATES = ["1987", "1987-03", "1987-03-02", "2024-02-29"]
_TIMES = ["2024-02-29T23:59:60.123+14:00", "2015-02-07T13:28:17Z"]
_TEXTS = {
    "date": _DATES,
    "dateTime": _DATES + _TIMES,
    "instant": _TIMES,
    "time": ["10:00:00"],
    "id": ["p1", _UUID, _UUID.upper(), "1"],
    "string": [
        *_STRINGS, "Patient/1", f"Patient/{_UUID}", f"urn:uuid:{_UUID}", "#p1", "https://host/fhir/Patient/1/_history/2", "Group/1",
        "Patient?identifier=http://hl7.org/fhir/sid/us-ssn|123-45-6789", "123-45-6789", "9999974493",
    ],
    "uri": ["http://hl7.org/fhir/x", f"urn:uuid:{_UUID}", "https://host/fhir/Patient/1", "mailto:a@b"],
    "code": ["male", "final", "SS", "NPI", "MR", "PSEUDED", "REDACTED", "a"],
}  # fmt: skip
_EXTENSIONS = [
    "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
    "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
    "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "http://hl7.org/fhir/StructureDefinition/geolocation",
    "latitude",
    "text",
    "http://nobody.example/knows",
]
_ODD: list[object] = [
    "5", "null", "true", '"x"', '""', "[]", "{}", "1e400", '"\\u0000"', ["5"], ["null"], ["null", "null"],
    ["null", '"x"', "7", "true"],
    [[["1"]]], [("a", "1")], [("url", '"b"')], [("resourceType", '"Patient"'), ("id", '"q"')], [("resourceType", '"Nothing"')],
]  # fmt: skip
