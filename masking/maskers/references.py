"""The maskers of references and other URLs: they point, masked, to what they pointed to.

The id in a reference takes the pseudonym that the id itself takes, in whatever form the reference is written; a
reference to nothing stays one. Servers' base URLs name hospitals: each becomes a host of its own under a reserved
example domain (RFC 2606), so that two servers stay two. Version ids count the edits of a known record: a link to a
version becomes a link to the resource. `public_uri` lets through what publishers of public definitions mint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

from masking.fhir.elements import resource_types
from masking.fhir.references import Reference, parse, read_token, write_token
from masking.keys import prf_bytes
from masking.maskers._numbers import IdentifierMaskers
from masking.maskers.base import BoundMasker, Masker, People, Subkeys, check, register
from masking.pseudonyms import Pseudonyms

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
#: A definition's version that can be nothing but one: `4.0.1`, `v2`, `2024-05`, `6.1.0-ballot`.
_VERSION = re.compile(r"v?[0-9]{1,8}([.\-][0-9A-Za-z]{1,10}){0,4}")
#: What a public URI is made of: a query, a user or a blank could carry anything behind a publisher's name.
_PUBLIC = re.compile(r"[A-Za-z0-9:/._~#|+\-]{1,400}")
#: Search parameters whose value is an id; all others but `identifier` may hold anything.
_IDS = frozenset({"_id", "_lastId"})


@dataclass(frozen=True)
class BoundReference(BoundMasker):
    """`reference` with its subkeys, and the identifier maskers that a plan hands it."""

    pseudonyms: Pseudonyms = field(repr=False)
    url_key: bytes = field(repr=False)
    identifiers: IdentifierMaskers = field(default_factory=IdentifierMaskers)

    def with_identifiers(self, identifiers: IdentifierMaskers) -> BoundReference:
        """The same masker, able to follow references by identifier."""
        return replace(self, identifiers=identifiers)

    def with_people(self, people: People) -> BoundReference:
        """Knowing people, whose records say what type of identifier one is."""
        return replace(self, identifiers=self.identifiers.with_people(people))

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
        # A query is decoded once: for its identifiers first, and for its masked form after them.
        queries = {place: other.criteria() for place, other in others if other.query is not None}
        names = list(dict.fromkeys(name for _, other in others for name in (other.id, other.fragment) if name))
        known: dict[str | None, str | None] = dict(zip(names, self.pseudonyms.mask(names), strict=True))
        pairs = [
            read_token(value)
            for criteria in queries.values()
            for name, value in criteria
            if name == "identifier" and value
        ]
        numbers, systems = self.identifiers.mask(pairs), self.identifiers.mask_systems(system for system, _ in pairs)
        for place, other in others:
            if other.query is not None:
                answers[place] = self._conditional(other, queries[place], numbers, systems)
            else:
                answers[place] = self._rebuild(other, known)
        return answers

    def _rebuild(self, reference: Reference, known: Mapping[str | None, str | None]) -> str | None:
        match reference.kind:
            case "relative":
                return f"{reference.type}/{known[reference.id]}" + self._fragment(reference, known)
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
            case "canonical":
                return self._canonical(reference, known)
        text, hash_, fragment = str(reference).partition("#")
        url = self._other(text)
        return url if url is None or not fragment else f"{url}{hash_}{self.pseudonyms.mask([fragment])[0]}"

    def _canonical(self, reference: Reference, known: Mapping[str | None, str | None]) -> str | None:
        """`url|version#fragment`: the URL as it is masked where it stands alone, so that the definition is found."""
        if reference.id is None:
            url = self._other(reference.base)
        elif reference.type is None:
            url = f"{reference.base}{known[reference.id]}"
        else:
            url = f"{self._base(reference.base)}{reference.type}/{known[reference.id]}"
        if url is None:
            return None
        # A version that is a word may be somebody's: then the link is to the definition, whatever its version.
        version = f"|{reference.version}" if _VERSION.fullmatch(reference.version or "") else ""
        return url + version + self._fragment(reference, known)

    @staticmethod
    def _fragment(reference: Reference, known: Mapping[str | None, str | None]) -> str:
        return "" if reference.fragment is None else f"#{known.get(reference.fragment) or ''}"

    def _base(self, base: str) -> str:
        return f"https://server-{_server(self.url_key, base)}.example.org/fhir/" if base else ""

    def opaque(self, text: str) -> str:
        """A keyed URL that tells equal texts apart from others, and nothing else."""
        return f"https://www.example.org/{self._token(text)}"

    def _token(self, text: str) -> str:
        return _keyed(self.url_key, text)

    def _conditional(
        self,
        reference: Reference,
        asked: Sequence[tuple[str, str | None]],
        numbers: Mapping[tuple[str, str], str | None],
        systems: Mapping[str, str],
    ) -> str | None:
        if reference.kind != "conditional":
            return self._other(str(reference))
        criteria: list[tuple[str, str | None]] = []
        for name, value in asked:
            masked = None
            if value and name in _IDS:
                masked = self.pseudonyms.mask([value])[0]
            elif value and name == "identifier":
                system, own = read_token(value)
                number = numbers[system, own]
                masked = None if number is None else write_token(systems[system], number, value)
            if masked is None:
                return None
            criteria.append((name, masked))
        rebuilt = reference.with_criteria(tuple(criteria))
        return str(rebuilt.with_base(self._base(reference.base)) if reference.base else rebuilt)

    def _other(self, text: str) -> str | None:
        """A URL that names no resource: its scheme and nothing else of it."""
        scheme = text.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return f"{scheme}://www.example.org/{self._token(text)}"
        if scheme in ("ftp", "sftp", "file", "mllp", "llp"):
            return f"{scheme}://example.org/{self._token(text)}"
        return None


def _keyed(key: bytes, text: str) -> str:
    return prf_bytes(key, [text], "url")[0][:8].hex()


#: Of base URLs alone, which are few: remembered.
_server = lru_cache(maxsize=256)(_keyed)


@register
@dataclass(frozen=True)
class ReferenceMasker(Masker):
    """References and URLs: ids take their pseudonyms, identifiers their masked values, servers an example host.

    Unreadable, so redacted: searches by anything but `identifier` and `_id`, and what is no URL at all.
    """

    name: ClassVar[str] = "reference"
    way_back: ClassVar[str] = "the ids and numbers in it, as their own maskers"

    def bind(self, keys: Subkeys) -> BoundReference:
        """Ids share the subkeys of `pseudonymize_id`; hosts and paths are keyed under `url`."""
        return BoundReference(Pseudonyms.bind(keys), keys.subkey("url"))


@dataclass(frozen=True)
class BoundSearch(BoundMasker):
    """`search` with what masks whole references."""

    references: BoundReference

    def with_identifiers(self, identifiers: IdentifierMaskers) -> BoundSearch:
        """The same masker, able to follow identifiers."""
        return replace(self, references=self.references.with_identifiers(identifiers))

    def with_people(self, people: People) -> BoundSearch:
        """Knowing people."""
        return replace(self, references=self.references.with_people(people))

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask each as the query of a reference to any type."""
        bare = [value.removeprefix("?") for value in values]
        places = [place for place, query in enumerate(bare) if query and not set(query) & set("?#")]
        answers: list[str | None] = [None] * len(values)
        for place, masked in zip(
            places, self.references.mask_distinct([f"Basic?{bare[at]}" for at in places]), strict=True
        ):
            if masked is not None:
                answers[place] = "?" * values[place].startswith("?") + masked.partition("?")[2]
        return answers


@register
@dataclass(frozen=True)
class Search(Masker):
    """The criteria of a search alone, `identifier=system|value` (R4, Bundle.entry.request.ifNoneExist).

    As `reference` masks them behind a type, so that a conditional create finds what it found. Unreadable likewise:
    searches by anything but `identifier` and `_id`.
    """

    name: ClassVar[str] = "search"
    way_back: ClassVar[str] = "the ids and numbers in it, as their own maskers"

    def bind(self, keys: Subkeys) -> BoundSearch:
        """The subkeys of `reference`."""
        return BoundSearch(ReferenceMasker().bind(keys))


@dataclass(frozen=True)
class BoundPublicUri(BoundMasker):
    """`public_uri` with what masks the others, and the publishers that a plan hands it beside its own."""

    others: BoundReference
    keep: tuple[str, ...]

    def with_publishers(self, publishers: Iterable[str]) -> BoundPublicUri:
        """The same masker, with more that it keeps."""
        return replace(self, keep=tuple(dict.fromkeys((*self.keep, *publishers))))

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Keep what is public; mask the others as references, and what is no URL to a keyed one."""
        answers: list[str | None] = [value if self._is_public(value) else None for value in values]
        others = [place for place, answer in enumerate(answers) if answer is None]
        if others:
            masked = self.others.mask_distinct([values[place] for place in others])
            for place, text in zip(others, masked, strict=True):
                value = values[place]
                answers[place] = self.others.opaque(value) if text is None and value.strip() else text
        return answers

    def _is_public(self, value: str) -> bool:
        url = value.partition("|")[0]
        listed = any(url.startswith(known[:-1]) if known.endswith("*") else url == known for known in self.keep)
        return listed and _PUBLIC.fullmatch(value) is not None


@register
@dataclass(frozen=True)
class PublicUri(Masker):
    """A URI that names a definition or a kind of number: kept if its publisher is public, else masked as `reference`.

    Whose URI it is tells a hospital: `https://hospital.org/mrn`, a vendor's OID with the customer's number in it. Equal
    ones stay equal, and a canonical still finds the definition. `keep` lists what is public, beside the policy's
    `publishers`; a trailing `*` matches any rest, and a `|version` does not count. A listed prefix keeps no query and
    no user name. What is no URL at all (`MRN`) becomes a keyed one. Blank: null.
    """

    name: ClassVar[str] = "public_uri"
    way_back: ClassVar[str] = "the ids in what is not kept, as their own masker"
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(not isinstance(self.keep, str), "keep", "is one text, not a list of texts")
        object.__setattr__(self, "keep", tuple(self.keep))
        fit = [isinstance(known, str) and known.strip("*") != "" and "*" not in known[:-1] for known in self.keep]
        check(all(fit), "keep", "holds what is no URI", "'*' stands at the end only, for any rest")

    def bind(self, keys: Subkeys) -> BoundPublicUri:
        """The subkeys of `reference`: what it masks agrees with references."""
        return BoundPublicUri(ReferenceMasker().bind(keys), self.keep)
