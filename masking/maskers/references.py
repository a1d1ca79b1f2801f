"""The masker of references and other URLs: they point, masked, to what they pointed to.

The id in a reference takes the pseudonym that the id itself takes, in whatever form the reference is written; a
reference to nothing stays one. Servers' base URLs name hospitals: each becomes a host of its own under a reserved
example domain (RFC 2606), so that two servers stay two. Version ids count the edits of a known record: a link to a
version becomes a link to the resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from masking.fhir.elements import resource_types
from masking.fhir.references import Reference, parse
from masking.keys import prf_bytes
from masking.maskers.base import BoundMasker, Masker, Subkeys, register
from masking.pseudonyms import Pseudonyms

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
#: Search parameters whose value is an id; all others but `identifier` may hold anything.
_IDS = frozenset({"_id", "_lastId"})


@dataclass(frozen=True)
class IdentifierMaskers:
    """What masks the value of `identifier=system|value`: by system, else the default; None redacts."""

    systems: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    default: BoundMasker | None = None

    def mask(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
        """The masked value of each (system, value), the same as `Identifier.value` of that system has."""
        by_system: dict[str, list[str]] = {}
        for system, value in dict.fromkeys(pairs):
            by_system.setdefault(system, []).append(value)
        answers: dict[tuple[str, str], str | None] = {}
        for system, values in by_system.items():
            masker = self.systems.get(system, self.default)
            masked: list[str | None] = [None] * len(values)
            if masker is not None:
                told = {"system": system or None}
                context = {name: [told.get(name)] * len(values) for name in masker.context}
                masked = masker.mask_distinct(values, **context)
            answers.update(((system, value), text) for value, text in zip(values, masked, strict=True))
        return answers


@dataclass(frozen=True)
class BoundReference(BoundMasker):
    """`reference` with its subkeys, and the identifier maskers that a plan hands it."""

    pseudonyms: Pseudonyms = field(repr=False)
    url_key: bytes = field(repr=False)
    identifiers: IdentifierMaskers = field(default_factory=IdentifierMaskers)

    def with_identifiers(self, identifiers: IdentifierMaskers) -> BoundReference:
        """The same masker, able to follow references by identifier."""
        return replace(self, identifiers=identifiers)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask all ids of the batch in one call, then put the references together again."""
        types = resource_types()
        pairs = [value.partition("/") for value in values]
        if all(kind in types and len(name) == 36 for kind, _, name in pairs):
            masked = self.pseudonyms.mask_if_uuids([name for _, _, name in pairs])
            if masked is not None:
                return [f"{kind}/{name}" for (kind, _, _), name in zip(pairs, masked, strict=True)]
        return self._mixed(values)

    def _mixed(self, values: Sequence[str]) -> list[str | None]:
        """References of all forms. Most are `Type/id` all the same: two tests tell."""
        answers: list[str | None] = [None] * len(values)
        plain: list[tuple[int, str, str]] = []
        others: list[tuple[int, Reference]] = []
        types = resource_types()
        for place, value in enumerate(values):
            resource_type, _, name = value.partition("/")
            if resource_type in types and _ID.fullmatch(name):
                plain.append((place, resource_type, name))
            else:
                others.append((place, parse(value)))
        for (place, resource_type, _), masked in zip(plain, self.pseudonyms.mask([n for *_, n in plain]), strict=True):
            answers[place] = f"{resource_type}/{masked}"
        names = list(dict.fromkeys(name for _, other in others for name in (other.id, other.fragment) if name))
        known: dict[str | None, str | None] = dict(zip(names, self.pseudonyms.mask(names), strict=True))
        numbers = self.identifiers.mask(
            _system_and_value(value)
            for _, other in others
            for name, value in other.criteria()
            if name == "identifier" and value
        )
        for place, other in others:
            answers[place] = (
                self._conditional(other, numbers) if other.query is not None else self._rebuild(other, known)
            )
        return answers

    def _rebuild(self, reference: Reference, known: Mapping[str | None, str | None]) -> str | None:
        match reference.kind:
            case "relative":
                return f"{reference.type}/{known[reference.id]}"
            case "urn_uuid" | "urn_oid":
                return f"{reference.base}{known[reference.id]}" + self._fragment(reference, known)
            case "fragment":
                return f"#{known[reference.fragment]}" if reference.fragment else "#"
            case "absolute":
                return f"{self._base(reference.base)}{reference.type}/{known[reference.id]}" + self._fragment(
                    reference, known
                )
            case "type":
                return f"{self._base(reference.base)}{reference.type}"
            case "canonical" if reference.id is not None:
                masked = reference.with_id(str(known[reference.id]))
                return str(masked.with_base(self._base(reference.base)) if reference.base[:4] == "http" else masked)
        return self._other(reference)

    @staticmethod
    def _fragment(reference: Reference, known: Mapping[str | None, str | None]) -> str:
        return "" if reference.fragment is None else f"#{known.get(reference.fragment) or ''}"

    def _base(self, base: str) -> str:
        return f"https://server-{self._token(base)}.example.org/fhir/" if base else ""

    def _token(self, text: str) -> str:
        return prf_bytes(self.url_key, [text], "url")[0][:8].hex()

    def _conditional(self, reference: Reference, numbers: Mapping[tuple[str, str], str | None]) -> str | None:
        if reference.kind != "conditional":
            return self._other(reference)
        criteria: list[tuple[str, str | None]] = []
        for name, value in reference.criteria():
            masked = None
            if value and name in _IDS:
                masked = self.pseudonyms.mask([value])[0]
            elif value and name == "identifier":
                system, _, _ = value.rpartition("|")
                number = numbers[_system_and_value(value)]
                masked = None if number is None else value[: len(system) + ("|" in value)] + number
            if masked is None:
                return None
            criteria.append((name, masked))
        rebuilt = reference.with_criteria(tuple(criteria))
        return str(rebuilt.with_base(self._base(reference.base)) if reference.base else rebuilt)

    def _other(self, reference: Reference) -> str | None:
        """A URL that names no resource: its scheme and nothing else of it."""
        text = str(reference)
        scheme = text.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return f"{scheme}://www.example.org/{self._token(text)}"
        if scheme in ("ftp", "sftp", "file", "mllp", "llp"):
            return f"{scheme}://example.org/{self._token(text)}"
        return None


def _system_and_value(token: str) -> tuple[str, str]:
    """The system ("" for none) and the value of a search token, `system|value`."""
    system, _, value = token.rpartition("|")
    return system, value


@register
@dataclass(frozen=True)
class ReferenceMasker(Masker):
    """References and URLs: ids take their pseudonyms, identifiers their masked values, servers an example host.

    Unreadable, so redacted: searches by anything but `identifier` and `_id`, and what is no URL at all.
    """

    name: ClassVar[str] = "reference"

    def bind(self, keys: Subkeys) -> BoundReference:
        """Ids share the subkeys of `pseudonymize_id`; hosts and paths are keyed under `url`."""
        return BoundReference(Pseudonyms.bind(keys), keys.subkey("url"))
