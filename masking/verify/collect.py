"""Read a source's documents for what identifies people, and whose it is. By FHIR's data types, wherever they stand.

Whose: a record of a person is its own; what speaks of a patient (`masking.fhir.compartment`) is that patient's, so are a
relative's record and contacts; a practitioner's and an organization's are their own. Prose is not read: what stands in a
note is known from elsewhere or is not known.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from masking.fhir.compartment import subject_paths
from masking.fhir.elements import children, resource_types
from masking.fhir.references import parse
from masking.verify import words
from masking.verify.kinds import LEAST, Kind
from masking.verify.known import Pieces, day_key, hashed, owner_key
from masking.verify.tree import Tree
from masking.verify.values import dicts, flat, texts, walk, walk_bundle

_decode = msgspec.json.Decoder(float_hook=float).decode
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_TYPE_AND_ID = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}")
#: What begins the number of an extension behind a telephone's.
_LINE_OF_ITS_OWN = re.compile(r"\s*(?:#|[;,]?\s*\bext(?:ension|\.)?|\bx)[\s:=]*\d", re.IGNORECASE)
#: Records that are nobody else's.
_OWN = frozenset({"Patient", "Practitioner", "Organization", "Location", "PractitionerRole"})
#: Types that references by `urn:uuid:` alone lead to in exports without Bundles: the UUID is the id.
_NAMED_BY_UUID = frozenset({"Patient", "Practitioner", "RelatedPerson", "Person", "Organization"})
#: Records that are a patient's: a relative's, and the person behind several records.
_OF_A_PATIENT = {"RelatedPerson": "patient", "Person": "link.target"}


class Found(NamedTuple):
    """A value, its kind, and whose it is (`Patient/1`)."""

    kind: Kind
    text: str
    owner: str


@functools.lru_cache(100_000)
def name_of(reference: str) -> str:
    """The one name of what a reference means: `Patient/1`, `urn:uuid:…`, `Type?identifier=system|value`; "" for others."""
    if _TYPE_AND_ID.fullmatch(reference) and reference.partition("/")[0] in resource_types():
        return reference
    parts = parse(reference)
    if parts.kind in ("relative", "absolute"):
        return f"{parts.type}/{parts.id}"
    if parts.kind in ("urn_uuid", "urn_oid"):
        return f"{parts.base}{parts.id}".lower()
    if parts.kind == "conditional":
        for name, value in parts.criteria():
            if name == "identifier" and value:
                return f"{parts.type}?identifier={value}"
    return ""


class Collector:
    """Gathers what documents say of people, each value with each owner once."""

    def __init__(self) -> None:
        self._found: set[Found] = set()
        self._aliases: dict[str, str] = {}
        self._patients: set[str] = set()
        self.tree = Tree()

    def document(self, document: bytes) -> None:
        """Read one document; what is no FHIR resource says nothing."""
        try:
            resource = _decode(document)
        except (msgspec.DecodeError, RecursionError):
            return
        if isinstance(resource, dict):
            self._resource(resource, None, "")

    def _resource(self, resource: dict[str, Any], container: str | None, url: str) -> None:
        kind, own = resource.get("resourceType"), resource.get("id")
        if not isinstance(kind, str) or kind not in resource_types():
            return
        name = f"{kind}/{own}" if isinstance(own, str) else ""
        owner = container or self.owner(kind, resource) or name or "?"
        if container is None:
            self._name(kind, name, owner, url, resource)
        if kind == "Bundle":
            for part in walk_bundle(self.tree, resource):
                if not isinstance(part, dict):
                    self.add(*part, owner)
            for entry in dicts(resource.get("entry")):
                if isinstance(inner := entry.get("resource"), dict):
                    full = entry.get("fullUrl")
                    self._resource(inner, None, full if isinstance(full, str) else "")
            return
        is_definition = _is_definition(kind)
        if isinstance(own, str) and not is_definition:
            self.add(Kind.ID, own, owner)
        branch = self.tree.root(kind)
        assert branch is not None
        # The part of a UDI that names the model is shared by all devices of it, and some repeat it as the device's own.
        models = {text for one in dicts(resource.get("udiCarrier")) for text in texts(one.get("deviceIdentifier"))}
        for value in walk(branch, resource):
            if isinstance(value, dict):
                self._resource(value, owner, "")
            elif is_definition and value[0] & (Kind.NUMBER | Kind.URL):
                continue  # by which the world knows it: its name and its title spell them
            elif value[0] != Kind.DEVICE or value[1] not in models:
                self.add(*value, owner)

    def _name(self, kind: str, name: str, owner: str, url: str, resource: dict[str, Any]) -> None:
        """All names by which a resource, and so its owner, is referred to."""
        if url and name:
            self._aliases[name_of(url) or url] = owner
        if owner != name and name:
            self._aliases[name] = owner
        uuid = name.partition("/")[2].lower()
        if kind in _NAMED_BY_UUID and _UUID.fullmatch(uuid):
            self._aliases[f"urn:uuid:{uuid}"] = owner
        if kind == "Patient" and name:
            self._patients.add(name)
        for one in dicts(resource.get("identifier")):
            if isinstance(value := one.get("value"), str):
                system = one.get("system")
                self._aliases[f"{kind}?identifier={system if isinstance(system, str) else ''}|{value}"] = owner

    @staticmethod
    def owner(kind: str, resource: dict[str, Any]) -> str:
        """Whose a resource is, by name; "" where it says nothing of it or is a person's own."""
        return next(iter(candidates(kind, resource)), "")

    def add(self, kind: Kind, text: str, owner: str) -> None:
        """Take a value in."""
        text = text.strip()
        if text:
            self._found.add(Found(kind, text, owner))

    @property
    def found(self) -> list[Found]:
        """All that was gathered, in order."""
        return sorted(self._found)

    @property
    def size(self) -> int:
        """How many values are held."""
        return len(self._found)

    def pieces(self) -> Pieces:
        """All that was gathered, as hashes."""
        found = self.found
        aliases = [(owner_key(one), owner_key(other)) for one, other in self._aliases.items()]
        days = [one for one in found if one.kind == Kind.BIRTH]
        spelled = [form for one in found if one.kind != Kind.BIRTH for form in forms(one)]
        measured = hashed([one.text for one in spelled])
        least = np.array([LEAST[one.kind] for one in spelled], np.int32)
        use = measured.sizes >= least
        kinds = np.array([one.kind for one in spelled], np.uint32)[use]
        owners = np.array([owner_key(one.owner) for one in spelled], np.uint64)[use]
        whole, first = measured.whole[use], measured.first[use]
        numbers = np.array([day_of(one.text) for one in days], np.int64)
        day_owners = np.array([owner_key(one.owner) for one in days], np.uint64)
        day_keys = np.array([day_key(int(number)) for number in numbers], np.uint64)
        is_day = numbers > 0
        day_keys, day_owners = day_keys[is_day], day_owners[is_day]
        day_kinds = np.full(len(day_keys), Kind.BIRTH, np.uint32)
        every, every_kinds = np.concatenate([whole, day_keys]), np.concatenate([kinds, day_kinds])
        several = whole != first
        return Pieces(
            values=np.concatenate([every, first[several]]),
            marks=np.concatenate(
                [
                    every_kinds << np.uint32(words.KIND_SHIFT) | np.uint32(words.COMPLETE),
                    np.full(int(several.sum()), words.FIRST, np.uint32),
                ]
            ),
            pair_values=every,
            pair_owners=np.concatenate([owners, day_owners]),
            pair_kinds=every_kinds,
            aliases=np.array([one for one, _ in aliases], np.uint64),
            owners=np.array([other for _, other in aliases], np.uint64),
            patients=np.array([owner_key(name) for name in sorted(self._patients)], np.uint64),
        )


def owner_paths(kind: str) -> Sequence[str]:
    """The paths at which a resource says whose it is, best first."""
    if kind in _OF_A_PATIENT:
        return (_OF_A_PATIENT[kind],)
    return () if kind in _OWN else subject_paths(kind)


def candidates(kind: str, resource: dict[str, Any]) -> Iterator[str]:
    """Those whose a resource may be, by name, best first. A `urn:` does not say what it names."""
    for path in owner_paths(kind):
        yield from people_of(references_at(resource, path))


def people_of(references: Iterable[str]) -> Iterator[str]:
    """The names among what references mean that may be a person's."""
    for reference in references:
        name = name_of(reference)
        if name.startswith(("Patient/", "Patient?", "urn:")):
            yield name


def references_at(resource: Any, path: str) -> Iterator[str]:
    """The references at a path through objects and arrays; those by identifier alone as if they were conditional."""
    values = [resource]
    for name in path.split("."):
        values = [value[name] for value in flat(values) if isinstance(value, dict) and name in value]
    for value in flat(values):
        if isinstance(value, dict):
            if isinstance(reference := value.get("reference"), str):
                yield reference
            elif isinstance(one := value.get("identifier"), dict) and isinstance(number := one.get("value"), str):
                system, kind = one.get("system"), value.get("type", "Patient")
                yield f"{kind}?identifier={system if isinstance(system, str) else ''}|{number}"


@functools.cache
def _is_definition(kind: str) -> bool:
    """Whether resources of a type are written by bodies and vendors for the world: their URLs and names spell their ids."""
    return "publisher" in children(kind)


def forms(found: Found) -> Iterator[Found]:
    """A value in the forms in which it is looked for."""
    kind, text, owner = found
    if kind == Kind.PHONE:
        digits = "".join(filter(str.isdecimal, _LINE_OF_ITS_OWN.split(text)[0]))
        if len(digits) == 11 and digits[0] == "1":
            digits = digits[1:]
        yield Found(kind, digits or text, owner)
    elif kind == Kind.URL and "://" in text:
        yield Found(kind, text, owner)
        yield Found(kind, text.partition("://")[2], owner)
    elif (bare := text.lower().removeprefix("urn:uuid:")) and _UUID.fullmatch(bare):
        yield Found(Kind.UUID, bare, owner)
    elif kind == Kind.NUMBER or (kind == Kind.ID and any(map(str.isdigit, bare))):  # one without digits is a word
        yield Found(kind, bare.removeprefix("urn:oid:"), owner)
    elif kind == Kind.ZIP:
        yield Found(kind, text[:5], owner)
    elif kind != Kind.ID:
        yield found
        if kind == Kind.NAME_WORD and len(parts := text.split()) > 1:  # `Mary Ann`; Spanish names
            yield from (Found(kind, part, owner) for part in parts)


def day_of(text: str) -> int:
    """YYYYMMDD of a date with a day; 0 for what has none."""
    part = text[:10]
    whole = len(part) == 10 and part[4] == part[7] == "-" and (part[:4] + part[5:7] + part[8:]).isdecimal()
    return int(part.replace("-", "")) if whole else 0
