r"""Whose value it is: the key of a human out of a reference, in whatever form it is written.

One human, one key: `Patient/123`, `https://host/fhir/Patient/123/_history/2` and, for UUIDs, `urn:uuid:…` in any case
give the same. A contained Patient is keyed by its container (`<container id>#p1`), for `#p1` means another person in
every resource. Keys are what stands between JSON's quotes, in one spelling: `\u0041` and `A` are one key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from masking.document.memory import Memory
from masking.document.strings import plain, to_part, to_text
from masking.fhir.references import parse
from masking.identity.names import named_by as name_of
from masking.maskers._short import calls_otherwise
from masking.maskers.base import People

_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEMORY = 100_000


def id_key(spelled: bytes | None) -> bytes | None:
    """The key of a person's record by its own id; UUIDs fold to lower case."""
    if spelled is None:
        return None
    spelled = plain(spelled)
    return spelled.lower() if len(spelled) == 36 and _UUID.fullmatch(spelled) else spelled


def contained_key(root_id: bytes | None, fragment: bytes) -> bytes:
    """The key of a contained person, by the id of the container and the `#id` within it."""
    return plain((root_id or b"") + fragment)


def identifier_key(system: bytes | None, value: bytes) -> bytes:
    """The key of a patient known by an identifier alone."""
    return plain((system or b"") + b"|" + value)


def names_in(spelled: bytes) -> Iterator[tuple[str, str, str]]:
    """The HumanNames in a JSON text, one or an array of them, each as use, family and given names.

    Whatever a document holds in their place: no number is read as one, for it may be longer than any that Python reads.
    """
    found = json.loads(spelled, parse_int=str, parse_float=str)
    for name in found if isinstance(found, list) else [found]:
        if isinstance(name, dict):
            given = name.get("given")
            words = [word for word in given if isinstance(word, str)] if isinstance(given, list) else []
            use, family = (text if isinstance(text := name.get(key), str) else "" for key in ("use", "family"))
            yield use, family, " ".join(words)


class Subjects:
    """References to subjects' keys, remembered while they repeat."""

    def __init__(self, people: People | None = None) -> None:
        self._people = people
        self._canonical: dict[bytes, bytes] = {}
        self._patients: dict[bytes, tuple[bool | None]] = {}
        self._unknown: dict[bytes, bool] = {}
        self._otherwise: dict[tuple[bytes, bytes], bool] = {}
        self._known: dict[bytes, bytes | None] = {}
        self._named: dict[bytes, bytes] = {}
        #: the numbers of the names that references mean, four bytes each
        self.numbers = Memory()
        self._number_of: dict[bytes, int] = {}
        self._names: dict[int, bytes] = {}
        self._next = 0

    def start(self) -> None:
        """Before a batch: forget what has become too much. A number is never given twice."""
        if len(self._names) > _MEMORY:
            self.numbers.forget()
            self._number_of.clear()
            self._names.clear()

    def number(self, name: bytes) -> int:
        """The number of a record's name; -1 of the empty one."""
        if not name:
            return -1
        found = self._number_of.get(name)
        if found is None:
            found = self._number_of[name] = self._next
            self._names[found] = name
            self._next += 1
        return found

    def name(self, number: int) -> bytes:
        """The name of a number of this batch."""
        return self._names[number]

    def canonical(self, key: bytes | None) -> bytes | None:
        """The one key of a human with several records, as far as people are known."""
        if key is None or self._people is None:
            return key
        found = self._canonical.get(key)
        if found is None:
            if len(self._canonical) > _MEMORY:
                self._canonical.clear()
            found = self._canonical[key] = self._people.canonical(key.decode()).encode()
        return found

    def is_patient(self, key: bytes) -> bool | None:
        """Whether the record of a key is a Patient's, as far as people are known; None where nobody has the key."""
        if self._people is None:
            return None
        found = self._patients.get(key)
        if found is None:
            if len(self._patients) > _MEMORY:
                self._patients.clear()
            who = key.decode()
            is_patient = self._people.facts(f"Patient/{who}") is not None
            found = self._patients[key] = (is_patient or (None if self._people.facts(f"/{who}") is None else False),)
        return found[0]

    def is_unknown(self, name: bytes) -> bool:
        """Whether people are known, but nobody by this name (`Patient/1`; `/1` of any type)."""
        if self._people is None:
            return False
        found = self._unknown.get(name)
        if found is None:
            if len(self._unknown) > _MEMORY:
                self._unknown.clear()
            found = self._unknown[name] = self._people.facts(name.decode()) is None
        return found

    def is_other_name(self, name: bytes, text: bytes) -> bool:
        """Whether what stands beside a reference to a human who is known is a name that the human's record has not."""
        found = self._otherwise.get((name, text))
        if found is None:
            if len(self._otherwise) > _MEMORY:
                self._otherwise.clear()
            facts = self._people.facts(to_text(name)) if self._people is not None else None
            found = self._otherwise[name, text] = calls_otherwise(facts, to_text(text))
        return found

    def named(self, reference: bytes, root_id: bytes | None) -> bytes:
        """The name (`Practitioner/7`) of the record of a human or an organization that a reference means, in what stands
        between JSON's quotes; empty where it means none.
        """
        if root_id is not None:
            return name_of(to_text(reference), to_text(root_id)).encode()
        known = self._named.get(reference)
        if known is None:
            if len(self._named) > _MEMORY:
                self._named.clear()
            known = self._named[reference] = name_of(to_text(reference), "").encode()
        return known

    def of(self, reference: bytes, root_id: bytes | None) -> bytes | None:
        """The key of the patient that a reference names; None where it names something else.

        `urn:uuid:…` and `#…` do not say what they name: they may be a patient's.
        """
        try:
            return self._known[reference]
        except KeyError:
            pass
        if reference.startswith(b"#"):
            return contained_key(root_id, reference)
        if len(self._known) > _MEMORY:
            self._known.clear()
        key = self._known[reference] = _key(reference)
        return key

    @staticmethod
    def of_url(url: bytes) -> bytes | None:
        """The key that a fullUrl gives a resource that has no id; None where it gives none."""
        found = parse(to_text(url)).id
        return None if found is None else id_key(to_part(found))

    @staticmethod
    def says_type(reference: bytes) -> bool:
        """Whether a reference that names a patient says so itself."""
        return not plain(reference)[:4].lower().startswith((b"#", b"urn:"))


def _key(spelled: bytes) -> bytes | None:
    reference = parse(to_text(spelled))
    if reference.kind in ("urn_uuid", "urn_oid") and reference.id is not None:
        return id_key(to_part(reference.id))
    if reference.type != "Patient":
        return None
    if reference.kind == "conditional":
        whom = reference.of_whom()
        return None if whom is None else id_key(to_part(whom))
    return id_key(to_part(reference.id)) if reference.id is not None else None
