"""The masker of references and other URLs: they point, masked, to what they pointed to.

The id in a reference takes the pseudonym that the id itself takes, in whatever form the reference is written; a reference to nothing
stays one. Servers' base URLs name hospitals: each becomes a host of its own under a reserved example domain (RFC 2606), so that two
servers stay two. Version ids count the edits of a known record: a link to a version becomes a link to the resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from masking.fhir.references import Reference, parse
from masking.keys import prf_bytes
from masking.maskers.base import BoundMasker, Masker, Subkeys, register
from masking.pseudonyms import Pseudonyms

#: Search parameters whose value is an id; all others but `identifier` may hold anything.
_IDS = frozenset({"_id", "_lastId"})


@dataclass(frozen=True)
class IdentifierMaskers:
    """What masks the value of `identifier=system|value`: by system, else the default; None redacts."""

    systems: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    default: BoundMasker | None = None

    def mask(self, system: str, value: str) -> str | None:
        """The masked value, the same as `Identifier.value` of that system has."""
        masker = self.systems.get(system, self.default)
        if masker is None:
            return None
        context: dict[str, Sequence[str | None]] = {name: [None] for name in masker.context}
        if "system" in context:
            context["system"] = [system or None]
        return masker.mask_distinct([value], **context)[0]


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
        parsed = [parse(value) for value in values]
        ids = list({reference.id: None for reference in parsed if reference.id} | {r.fragment: None for r in parsed if r.fragment})
        known = dict(zip(ids, self.pseudonyms.mask([text for text in ids if text]), strict=True))
        return [self._rebuild(reference, known) for reference in parsed]

    def _rebuild(self, reference: Reference, known: Mapping[str | None, str | None]) -> str | None:
        match reference.kind:
            case "relative":
                return f"{reference.type}/{known[reference.id]}"
            case "urn_uuid" | "urn_oid":
                return f"{reference.base}{known[reference.id]}" + self._fragment(reference, known)
            case "fragment":
                return f"#{known[reference.fragment]}" if reference.fragment else "#"
            case "absolute":
                return f"{self._base(reference.base)}{reference.type}/{known[reference.id]}" + self._fragment(reference, known)
            case "conditional":
                return self._conditional(reference)
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

    def _conditional(self, reference: Reference) -> str | None:
        criteria: list[tuple[str, str | None]] = []
        for name, value in reference.criteria():
            masked = None if value is None else self._criterion(name, value)
            if masked is None:
                return None
            criteria.append((name, masked))
        rebuilt = reference.with_criteria(tuple(criteria))
        return str(rebuilt.with_base(self._base(reference.base)) if reference.base else rebuilt)

    def _criterion(self, name: str, value: str) -> str | None:
        if name in _IDS:
            return self.pseudonyms.mask([value])[0]
        if name != "identifier":
            return None
        system, bar, number = value.rpartition("|")
        masked = self.identifiers.mask(system, number)
        return None if masked is None else f"{system}{bar}{masked}"

    def _other(self, reference: Reference) -> str | None:
        """A URL that names no resource: its scheme and nothing else of it."""
        text = str(reference)
        scheme = text.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return f"{scheme}://www.example.org/{self._token(text)}"
        if scheme in ("ftp", "sftp", "file", "mllp", "llp"):
            return f"{scheme}://example.org/{self._token(text)}"
        return None


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
