"""The sample's notes with what a record knows of the people in them, and what a scrubber finds, for benchmarks and tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import masking.maskers  # noqa: F401 (fills the registry)
from masking.maskers.base import registered
from masking.pools.states import STATES
from masking.scrub.characters import fold
from masking.scrub.terms import Dossier, Scrubbed, Term
from masking.scrub.vocabulary import COMMON

_KEY = hashlib.sha256(b"benchmark").digest()


class Keys:
    """Subkeys for a benchmark."""

    def subkey(self, purpose: str) -> bytes:
        """One for each purpose."""
        return hmac.digest(_KEY, purpose.encode(), "sha256")


def bound(name: str, **parameters: Any) -> Callable[[Sequence[str]], list[str | None]]:
    """A masker of the repository, asked without context."""
    made: Any = registered()[name]
    masker = made(**parameters).bind(Keys())

    def ask(values: Sequence[str]) -> list[str | None]:
        answer: list[str | None] = masker.mask_distinct(
            list(values), **{context: [None] * len(values) for context in masker.context}
        )
        return answer

    return ask


def maskers() -> dict[str, Callable[[Sequence[str]], list[str | None]]]:
    """What answers for the shaped kinds: the maskers that the record's own values have."""
    return {
        "phone": bound("phone"),
        "ssn": bound("ssn"),
        "email": bound("email"),
        "url": bound("url"),
        "ip": bound("ip"),
        "npi": bound("check_digit", scheme="npi"),
        "dea": bound("check_digit", scheme="dea"),
        "vin": bound("check_digit", scheme="vin"),
        "uuid": bound("pseudonymize_id"),
        "name": bound("full_name"),
        "employer": bound("hash", length=16, prefix="Employer "),
        "identifier": bound("format_preserving"),
    }


@dataclass
class Note:
    """A note (its markup, if it is HTML, still in it), what is known of its people, and what was planted in it."""

    text: str
    is_html: bool
    dossier: Dossier
    planted: list[tuple[str, str]] = field(default_factory=list)

    def identifiers(self, own: bool = True) -> list[tuple[str, tuple[int, int]]]:
        """Kind and place of each planted value; `own`: without employers, whom no record names."""
        known = " ".join(term.real for term in self.dossier.terms)
        places = []
        for kind, value in self.planted:
            if own and kind == "names" and not all(word in known for word in _WORD.findall(value)):
                continue
            # 'by May' is the month of a remark that the sample makes of everybody, one who is called May as well.
            for found in re.finditer(rf"(?<!\w)(?<!by (?=May)){re.escape(value)}(?!\w)", self.text):
                places.append((kind, found.span()))
        return places


_WORD = re.compile(r"\w+")
#: Parts of planted values that may stay: states, and what makes an age of a number.
_MAY_STAY = frozenset(STATES) | {"year", "old"}


def is_covered(text: str, marks: bytearray, span: tuple[int, int]) -> bool:
    """Whether all words of a planted value are replaced; of a dateTime, the day."""
    start, stop = span
    if re.match(r"\d{4}-\d\d-\d\dT", text[start:stop]):
        stop = start + 10
    return all(
        all(marks[word.start() : word.end()]) for word in _WORD.finditer(text, start, stop) if word[0] not in _MAY_STAY
    )


def marked(size: int, spans: Iterable[tuple[int, int]]) -> bytearray:
    """A byte a character: 1 in the spans."""
    marks = bytearray(size)
    for start, stop in spans:
        marks[start:stop] = b"\1" * (stop - start)
    return marks


#: Names such as May, Long, Rose, Will: counted among the names as well.
WORD_NAMES = "names that are words"


@dataclass
class Quality:
    """Identifiers found and planted by kind, those missed; words of the clinic, how many were changed, and which.

    `same` and `same_changed`: of these words those that are the name of somebody in the text's dossier.
    """

    found: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list, repr=False)
    wrong: list[str] = field(default_factory=list, repr=False)
    words: int = 0
    changed: int = 0
    same: int = 0
    same_changed: int = 0

    def add(
        self,
        text: str,
        dossier: Dossier,
        answer: Scrubbed,
        identifiers: Iterable[tuple[str, tuple[int, int]]],
        identifying: Iterable[tuple[int, int]],
    ) -> None:
        """Count one text. identifying: what is no word of the clinic, a superset of the identifiers' places."""
        marks = marked(len(text), ((span.start, span.stop) for span in answer.spans))
        for kind, span in identifiers:
            covered, is_word = is_covered(text, marks, span), set(_folded(text[slice(*span)])) <= COMMON
            for one in (kind, WORD_NAMES) if is_word else (kind,):
                self.planted[one] += 1
                self.found[one] += covered
            if not covered:
                self.missed.append(text[slice(*span)])
        persons = marked(len(text), identifying)
        names = {
            word for term in dossier.terms if term.kind in ("given", "family", "name") for word in _folded(term.real)
        }
        for word in _WORD.finditer(text):
            if not any(persons[word.start() : word.end()]):
                is_changed, is_same = any(marks[word.start() : word.end()]), fold(word[0]) in names
                self.wrong += [word[0]] if is_changed else []
                self.words, self.changed = self.words + 1, self.changed + is_changed
                self.same, self.same_changed = self.same + is_same, self.same_changed + (is_same and is_changed)


def _folded(text: str) -> list[str]:
    return [fold(word) for word in _WORD.findall(text)]


def quality(notes: Sequence[Note], scrubbed: Sequence[Scrubbed]) -> Quality:
    """What was found in the sample's notes."""
    answer = Quality()
    for note, one in zip(notes, scrubbed, strict=True):
        identifying = [span for _, span in note.identifiers(own=False)]
        answer.add(note.text, note.dossier, one, note.identifiers(), identifying)
    return answer


def _lines(folder: Path, resource_type: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob(f"{resource_type}.*.ndjson")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


class _Terms:
    """Terms of people, faked by the repository's maskers."""

    def __init__(self) -> None:
        self._maskers = maskers() | {
            "given": bound("first_name"),
            "family": bound("last_name"),
            "line": bound("format_preserving"),
        }

    def put(self, kind: str, values: Sequence[str]) -> list[Term]:
        if kind in ("city", "zip", "organization"):
            return [
                Term(kind, value, {"city": "Springfield", "zip": "02139", "organization": "Cedar Group"}[kind])
                for value in values
            ]
        return [Term(kind, value, fake) for value, fake in zip(values, self._maskers[kind](values), strict=True)]

    def of(self, resource: dict[str, Any]) -> list[Term]:
        terms: list[Term] = []
        names = resource.get("name", [])
        for name in [names] if isinstance(names, dict) else names:
            if isinstance(name, str):
                terms += self.put("organization", [name])
                continue
            terms += self.put("name", [name["text"]] if name.get("text") else [])
            terms += self.put("given", name.get("given", []))
            terms += self.put("family", [name["family"]] if name.get("family") else [])
        for point in resource.get("telecom", []):
            terms += self.put(
                "phone" if point["system"] in ("fax", "sms", "pager") else point["system"], [point["value"]]
            )
        for one in resource.get("identifier", []):
            value = one["value"]
            is_ssn = re.fullmatch(r"\d{3}-?\d\d-?\d{4}", value) and "ssn" in one.get("system", "")
            fakes = self._maskers["ssn" if is_ssn else "identifier"]([value])
            terms.append(Term("identifier", value, fakes[0]))
        addresses = resource.get("address", [])
        for address in [addresses] if isinstance(addresses, dict) else addresses:
            terms += self.put("line", address.get("line", []))
            terms += self.put("city", [address["city"]] if address.get("city") else [])
            terms += self.put("zip", [address["postalCode"]] if address.get("postalCode") else [])
        for contact in resource.get("contact", []):
            terms += self.of(contact)
        return terms


def read(export: Path, truth: Path) -> list[Note]:
    """The notes of an export: of each, the dossier of its patient, their relatives and all practitioners it may name."""
    by_document: dict[str, list[tuple[str, str]]] = {}
    patient_of: dict[str, str] = {}
    for line in truth.read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["type"] == "DocumentReference":
            patient_of[one["id"]] = one["patient"]
            if one["path"] == "DocumentReference.content.attachment.data":
                by_document.setdefault(one["id"], []).append((one["kind"], one["value"]))
    terms = _Terms()
    patients = {one["id"]: one for one in _lines(export, "Patient")}
    own = {key: terms.of(one) for key, one in patients.items()}
    names = {
        name: key
        for key, patient in patients.items()
        for one in patient["name"]
        for name in (
            one.get("text", ""),
            " ".join([*one.get("given", ()), one.get("family", "")]),
            " ".join([*one.get("given", ())[:1], one.get("family", "")]),
            f"{one.get('family')} {' '.join(one.get('given', ()))}",
        )
        if name
    }
    staff = {one["id"]: terms.of(one) for one in _lines(export, "Practitioner")}
    dossiers: dict[tuple[str, ...], Dossier] = {}
    answer = []
    for document in _lines(export, "DocumentReference"):
        planted = by_document[document["id"]]
        patient = patient_of[document["id"]]
        relatives = sorted({names[value] for kind, value in planted if value in names} - {patient})
        clinicians = sorted(
            key
            for key, own_terms in staff.items()
            if any(
                (kind == "names" and term.kind == "name" and value in term.real)
                for kind, value in planted
                for term in own_terms
            )
        )
        who = (patient, *relatives, *clinicians)
        if who not in dossiers:
            known = [term for key in who for term in (own.get(key) or staff.get(key) or [])]
            dossiers[who] = Dossier(tuple(dict.fromkeys(known)), 45)
        attachment = document["content"][0]["attachment"]
        text = base64.b64decode(attachment["data"]).decode()
        answer.append(Note(text, "html" in attachment["contentType"], dossiers[who], planted))
    return answer
