"""Names of people: given, family, whole, their titles, and user names.

All of them draw from `masking.pools.names` under one purpose, so that the parts of a name and its displays agree.
Context: `subject` and `sex` (and, for whole names, the `family` and `given` that stand beside the text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from masking.maskers._short import as_called, as_spelled, spoken
from masking.maskers.base import BoundMasker, Masker, Subkeys, register
from masking.pools.choice import digits, words
from masking.pools.names import (
    BREAKS,
    WordMasker,
    family_masker,
    fold,
    given_masker,
    mask_family,
    mask_given,
    mask_word,
    persona,
)
from masking.pools.titles import PREFIXES, SUFFIXES, fold_title
from masking.pools.whole_names import roles_of

PURPOSE = "people"
Texts = Sequence[str | None]


@dataclass(frozen=True)
class BoundFirstName(BoundMasker):
    """See `FirstName`."""

    key: bytes = field(repr=False)
    context = ("subject", "sex")

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Mask given names of one or more words."""
        rows = zip(values, context["subject"], context["sex"], strict=True)
        return [mask_given(value, given_masker(self.key, subject, sex)) for value, subject, sex in rows]


@register
@dataclass(frozen=True)
class FirstName(Masker):
    """A given name becomes another one of the same sex; 'Q.' stays an initial, 'SMITH' upper case, 'Ann-Marie' double.

    Sex unknown or other: a name used for both. Nothing with a letter in it: null.
    """

    name: ClassVar[str] = "first_name"

    def bind(self, keys: Subkeys) -> BoundFirstName:
        """Bind to the subkey of `people`."""
        return BoundFirstName(keys.subkey(PURPOSE))


@dataclass(frozen=True)
class BoundLastName(BoundMasker):
    """See `LastName`."""

    key: bytes = field(repr=False)
    context = ("subject",)

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Mask family names of one or more words."""
        rows = zip(values, context["subject"], strict=True)
        return [mask_family(value, family_masker(self.key, subject)) for value, subject in rows]


@register
@dataclass(frozen=True)
class LastName(Masker):
    """A family name becomes another one, word by word ('García-López'); case and particles ('de la') stay."""

    name: ClassVar[str] = "last_name"

    def bind(self, keys: Subkeys) -> BoundLastName:
        """Bind to the subkey of `people`."""
        return BoundLastName(keys.subkey(PURPOSE))


@dataclass(frozen=True)
class BoundNamePrefix(BoundMasker):
    """See `NamePrefix`."""

    context = ("sex",)

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Keep what the closed list holds."""
        rows = zip(values, context["sex"], strict=True)
        return [value if _prefix_stays(value, sex) else None for value, sex in rows]


def _prefix_stays(value: str, sex: str | None) -> bool:
    implied = PREFIXES.get(fold_title(value), "")
    return implied is None or (implied != "" and sex in (implied, "other", "unknown", "", None))


@register
@dataclass(frozen=True)
class NamePrefix(Masker):
    """A common prefix stays as spelled ('Dr.', 'Mrs.') unless it contradicts the sex; any other becomes null."""

    name: ClassVar[str] = "name_prefix"

    def bind(self, keys: Subkeys) -> BoundNamePrefix:
        """Nothing to bind: a closed list needs no key."""
        return BoundNamePrefix()


@dataclass(frozen=True)
class BoundNameSuffix(BoundMasker):
    """See `NameSuffix`."""

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Keep what the closed list holds."""
        return [value if fold_title(value) in SUFFIXES else None for value in values]


@register
@dataclass(frozen=True)
class NameSuffix(Masker):
    """A common suffix stays as spelled ('Jr.', 'III', 'MD'); any other becomes null."""

    name: ClassVar[str] = "name_suffix"

    def bind(self, keys: Subkeys) -> BoundNameSuffix:
        """Nothing to bind: a closed list needs no key."""
        return BoundNameSuffix()


@dataclass(frozen=True)
class BoundFullName(BoundMasker):
    """See `FullName`."""

    key: bytes = field(repr=False)
    context = ("subject", "sex", "family", "given")

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Mask whole names."""
        rows = zip(values, *(context[name] for name in self.context), strict=True)
        return [self._mask(value, subject, sex, family, given) for value, subject, sex, family, given in rows]

    def _mask(
        self, text: str, subject: str | None, sex: str | None, family: str | None, given: str | None
    ) -> str | None:
        pieces = BREAKS.split(_without_remarks(text))
        roles = roles_of(pieces, family, spoken(pieces, given, family))
        of_given = as_called(as_spelled(given_masker(self.key, subject, sex), given), given, family)
        masks = {"family": as_spelled(family_masker(self.key, subject), family), "given": of_given}
        fakes = _masked_words(pieces, roles, masks, sex)
        if not any(fakes[index] for index, role in roles.items() if role in masks):
            return None
        whole = "".join(fakes.get(index, piece) or "" for index, piece in enumerate(pieces))
        return _tidy(whole) if None in fakes.values() else whole


#: What systems write behind a name: `(MRN 12345678)`, `- DOB 01/02/1980`, `, MRN: 123`.
_REMARK = re.compile(
    r"[\s,;(\[–-]{0,8}\b(?:mrn|dob|d\.o\.b\.?|ssn|id|pid|acct|account|chart|rec(?:ord)?|born|birth\s?date|age|ph(?:one)?|tel)\b"
    r"(?:\s{1,8}(?:no|number|nr)\b)?[\s.:#=-]{0,8}[\w/.-]{0,40}\d[\w/.-]{0,40}[)\]]?",
    re.IGNORECASE,
)


def _without_remarks(text: str) -> str:
    """A name without numbers of the person that are labelled as such: their words are nobody's name."""
    return _REMARK.sub("", text) if any(map(str.isdigit, text)) else text


def _masked_words(
    pieces: Sequence[str], roles: dict[int, str], masks: dict[str, WordMasker], sex: str | None
) -> dict[int, str | None]:
    fakes: dict[int, str | None] = {}
    for index, role in roles.items():
        word = pieces[index]
        if role in masks:
            fakes[index] = mask_word(word, masks[role])
        else:
            fakes[index] = word if role != "prefix" or _prefix_stays(word, sex) else None
    return fakes


def _tidy(text: str) -> str:
    """A name from which a word was dropped, without the gap it left."""
    return re.sub(r" (?=[)\],;])|[(\[] ?[)\]]", "", " ".join(text.split())).strip(" ,;")


@register
@dataclass(frozen=True)
class FullName(Masker):
    """A whole name ('Mr. Joe Q Smith Jr.', 'SMITH, JOE') becomes the one that its masked parts make up.

    Words that stand in `family` or `given` beside it are masked as such, short forms and initials of these as those of the
    fakes; else the last word, or what precedes a comma,
    is the family name. Common titles stay; one that contradicts the sex is dropped, and so is `(MRN 12345678)` and the like.
    No letters: null.
    """

    name: ClassVar[str] = "full_name"

    def bind(self, keys: Subkeys) -> BoundFullName:
        """Bind to the subkey of `people`."""
        return BoundFullName(keys.subkey(PURPOSE))


@dataclass(frozen=True)
class BoundUsername(BoundMasker):
    """See `Username`."""

    key: bytes = field(repr=False)
    context = ("subject", "sex", "family", "given")

    def mask_distinct(self, values: Sequence[str], **context: Texts) -> list[str | None]:
        """Mask user names."""
        rows = zip(values, *(context[name] for name in self.context), strict=True)
        return [self._mask(value, subject, sex, family, given) for value, subject, sex, family, given in rows]

    def _mask(
        self, text: str, subject: str | None, sex: str | None, family: str | None, given: str | None
    ) -> str | None:
        folded = fold(text.strip())
        if not folded:
            return None
        first, last = persona(self.key, subject, sex, given=given, family=family, seed=folded)
        number, spare, *_ = words(self.key, "username", subject or "", folded)
        fake = f"{first[0]}{last}{digits(number, 5)}"
        return fake if fake != folded else f"{first[0]}{last}{digits(spare, 6)}"


@register
@dataclass(frozen=True)
class Username(Masker):
    """A user name becomes initial, family name and five digits of the subject's persona; one subject's stay apart."""

    name: ClassVar[str] = "username"

    def bind(self, keys: Subkeys) -> BoundUsername:
        """Bind to the subkey of `people`."""
        return BoundUsername(keys.subkey(PURPOSE))
