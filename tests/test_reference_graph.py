"""One person, one fake person: the graph of references before is that after, in real exports and in every form."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from documents import ON, plan
from graph import Graph, documents, graph

from masking.document import Engine
from masking.identity import People, gather
from masking.report.manifest import MadeWith
from masking.spark import RunSettings, mask
from masking.spark.bundles import take_apart

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REAL = Path(__file__).parents[2] / "shared" / "data"
BULK, BUNDLES = sorted(REAL.glob("bulk*/*.gz")), sorted(REAL.glob("bundles/*.gz"))
MADE_WITH = MadeWith("realistic", "0" * 64, "fp-0123456789abcdef", "default", ON)
real = pytest.mark.skipif(not (BULK and BUNDLES), reason="there is no real export beside the repository")


def hold(before: Graph, after: Graph) -> None:
    """Resource by resource and edge by edge, the same graph; and names go one to one."""
    assert [node.key[0] for node in before.nodes] == [node.key[0] for node in after.nodes]
    assert before.edges == after.edges
    for one, other in zip(before.nodes, after.nodes, strict=True):
        assert ("id" in one.resource) == ("id" in other.resource)
    one_to_one((one.key, other.key) for one, other in zip(before.nodes, after.nodes, strict=True) if one.root is None)
    for one, other in zip(before.nodes, after.nodes, strict=True):
        if one.root is None and one.key[1]:
            assert one.key[1] != other.key[1]


def one_to_one(pairs: Any) -> None:
    found = set(pairs)
    assert len({one for one, _ in found}) == len(found) == len({other for _, other in found})


def by_type(made: Graph) -> Graph:
    """The same graph with its documents in the order of their types and codes: files may be read in any order."""
    heads = [n for n, node in enumerate(made.nodes) if node.root is None and (node.bundle is None or not _keeps(made))]
    ends = [*heads[1:], len(made.nodes)]
    runs = sorted(zip(heads, ends, strict=True), key=lambda run: _place(made.nodes[run[0]].resource))
    order = [number for start, end in runs for number in range(start, end)]
    new = {old: number for number, old in enumerate(order)}
    nodes = [replace(made.nodes[old], root=new.get(made.nodes[old].root)) for old in order]
    edges = [(new[start], path, frozenset(new[hit] for hit in hits)) for start, path, hits in made.edges]
    return Graph(nodes, sorted(edges, key=lambda edge: edge[0]))


def _place(resource: dict[str, Any]) -> tuple[str, list[tuple[str, int]], int]:
    return resource["resourceType"], sorted(coded(resource).items()), len(resource.get("entry", ()))


def _keeps(made: Graph) -> bool:
    return any(node.key[0] == "Bundle" for node in made.nodes)


def coded(resource: Any) -> Counter[str]:
    """The codes of a resource in no order: what must be the same before and after, and tells resources apart."""
    kept: Counter[str] = Counter()
    for key, value in resource.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and key not in ("meta", "contained", "resource"):
                kept += coded(item)
                continue
            coded_here = key in ("code", "status", "gender") and "value" not in resource
            if coded_here or (
                key in ("code", "status", "unit", "gender", "value") and not isinstance(item, str | dict)
            ):
                kept[f"{key} {item}"] += 1
    return kept


@real
@pytest.mark.parametrize("bundles", ["keep", "split"])
@pytest.mark.parametrize("together", [False, True], ids=["bundles alone", "with a bulk export"])
def test_a_real_export_is_the_same_graph(spark: SparkSession, tmp_path: Path, bundles: str, together: bool) -> None:
    sources = [BUNDLES[0].parent, *([BULK[0].parent] if together else [])]
    places = [str(tmp_path / name) for name in ("out", "phi")]
    settings = RunSettings(partitions=1, bundles=bundles)
    run = mask(spark, [str(s) for s in sources], *places, engine=Engine(plan()), made_with=MADE_WITH, settings=settings)
    assert run.quarantine is None
    keeps = bundles == "keep"
    masked = [one for path in sorted(Path(run.ndjson).rglob("*.ndjson")) for one in documents([path])]
    source = documents([*(BULK if together else []), *BUNDLES])
    before, after = (by_type(graph(found, bundles=keeps)) for found in (source, masked))
    hold(before, after)
    assert [coded(node.resource) for node in before.nodes] == [coded(node.resource) for node in after.nodes]
    assert sum(bool(hits) for _, _, hits in before.edges) > 4900
    for kind in ("Patient", "Practitioner", "Organization"):
        aimed = {hit for _, _, hits in after.edges for hit in hits if after.nodes[hit].key[0] == kind}
        assert len(aimed) > 4
    # Half of it: what dangles there is not caught by anybody else.
    assert {path for _, path, hits in after.edges if not hits} <= {"Bundle.entry.request.url", "Patient.text.div"}


@real
def test_half_an_export_dangles_as_before() -> None:
    source = [json.dumps(one).encode() for one in documents(BULK)]
    masked = Engine(plan(), people=People(gather(source))).mask_batch(source).masked
    halves = [[json.loads(one) for one in part[::2] if one is not None] for part in (source, masked)]
    before, after = map(graph, halves)
    hold(before, after)
    assert 0 < sum(not hits for _, _, hits in before.edges) < len(before.edges)


# ── every form ───────────────────────────────────────────────────────────────────────────────────────────────────────

P, Q, D, ORG, V, U = (f"6d75c0ee-3f5b-4b8d-9c33-0000000000a{n}" for n in range(6))
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999974493"}
MRN = {"system": "http://clinic.example/mrn", "value": "MR-100 7"}


def _resource(kind: str, own: str, **rest: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": own, **rest}


def _ref(text: str) -> dict[str, str]:
    return {"reference": text}


DIV = (
    f'<div xmlns="http://www.w3.org/1999/xhtml"><p id="top">See <a href="Observation/{V}">it</a>, <a href="#top">top</a> '
    f'and <a href="Observation/{U}">what is nowhere</a></p></div>'
)
FORMS: list[dict[str, Any]] = [
    _resource("Patient", P, identifier=[MRN], generalPractitioner=[_ref(f"urn:uuid:{D}"), _ref("#in"), _ref("Practitioner/9")],
              contained=[_resource("Practitioner", "in", qualification=[{"code": {"text": "x"}, "issuer": _ref("#")}])],
              link=[{"other": _ref(f"https://host/fhir/Patient/{Q}/_history/2"), "type": "seealso"}],
              text={"status": "generated", "div": DIV}),
    _resource("Patient", Q, managingOrganization={"type": "Organization", "identifier": {"system": "http://o", "value": "77"}}),
    _resource("Practitioner", D, identifier=[NPI]),
    _resource("Organization", ORG, identifier=[{"system": "http://o", "value": "77"}]),
    _resource("Observation", V, status="final", code={"text": "x"},
              subject=_ref("Patient?identifier=http://clinic.example/mrn|MR-100%207"),
              performer=[_ref("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999974493"), _ref(f"Organization/{ORG}"),
                         _ref("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1234567893")]),
    _resource("Provenance", "prov", target=[_ref(f"Observation/{V}/_history/1"), _ref(f"urn:uuid:{P}"), _ref(f"Observation/{U}")],
              recorded="2024-01-01T00:00:00Z", agent=[{"who": _ref(f"urn:uuid:{D}")}]),
    _resource("AuditEvent", "audit", type={"code": "rest"}, recorded="2024-01-01T00:00:00Z",
              source={"observer": _ref(f"Organization/{ORG}")},
              agent=[{"requestor": True, "who": {"identifier": NPI}}],
              entity=[{"what": _ref(f"urn:uuid:{P}")}, {"what": _ref(f"Observation/{V}")}, {"what": {"identifier": MRN}}]),
]  # fmt: skip


def transaction() -> dict[str, Any]:
    """A Bundle of all forms, as a request and a response at once."""
    entries = []
    for one in FORMS:
        kind, own = one["resourceType"], one["id"]
        full_url = f"urn:uuid:{own}" if len(own) == 36 else f"https://host/fhir/{kind}/{own}"
        entry: dict[str, Any] = {"fullUrl": full_url, "resource": one, "request": {"method": "PUT", "url": f"{kind}/{own}"},
                                 "response": {"status": "200",
                                              "location": f"https://host/fhir/{kind}/{own}/_history/1"}}  # fmt: skip
        if kind == "Practitioner":
            entry["request"] = {
                "method": "POST",
                "url": kind,
                "ifNoneExist": f"identifier={NPI['system']}|{NPI['value']}",
            }
        if kind == "Patient" and own == P:
            entry["request"]["url"] = "Patient?identifier=http://clinic.example/mrn|MR-100%207"
        entries.append(entry)
    return _resource("Bundle", "all", type="transaction", entry=entries)


def test_every_form_of_reference_finds_what_it_found() -> None:
    source = json.dumps(transaction()).encode()
    (masked,) = Engine(plan(), people=People(gather([source]))).mask_batch([source]).masked
    assert masked is not None
    before, after = graph([json.loads(source)]), graph([json.loads(masked)])
    assert NPI["value"].encode() not in masked
    hold(before, after)
    dangling = Counter(path for _, path, hits in before.edges if not hits)
    assert dangling == {
        "Patient.generalPractitioner.reference": 1, "Patient.text.div": 1, "Observation.performer.reference": 1,
        "Provenance.target.reference": 1, "Bundle.entry.request.url": 1,
    }  # fmt: skip
    assert {path for _, path, hits in before.edges if hits} >= {
        "Patient.text.div", "Patient.link.other.reference", "Patient.generalPractitioner.reference", "Provenance.target.reference",
        "Practitioner.qualification.issuer.reference", "Patient.managingOrganization.identifier.value",
        "AuditEvent.entity.what.reference",
        "AuditEvent.entity.what.identifier.value", "Bundle.entry.fullUrl", "Bundle.entry.request.url",
        "Bundle.entry.request.ifNoneExist", "Bundle.entry.response.location",
    }  # fmt: skip
    assert not [one for one in before.texts if len(one) > 5 and one in after.texts and one != "Practitioner"]
    parts = [json.loads(one) for ones in take_apart(source, masked).resources.values() for one in ones]
    hold(*(by_type(graph(found, bundles=False)) for found in ([json.loads(source)], parts)))
