"""Maskers of free text that nobody has read: displays and notes, the XHTML of a narrative, what stands beside a media type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.sax.saxutils import escape

from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register

#: What R4 allows in a string: no control characters but tab, line feed and carriage return, and nothing that UTF-8 or
#: XML cannot carry (http://hl7.org/fhir/R4/datatypes.html#string).
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class _Text(BoundMasker):
    always: str | None

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self.always] * len(values)


def _check_placeholder(placeholder: object) -> None:
    check(isinstance(placeholder, str), "placeholder", "is not text", "put it in quotes")
    text = str(placeholder)
    check(text.strip() != "", "placeholder", "is blank, and FHIR has no blank text", "use redact to remove the value")
    check(not _UNFIT.search(text), "placeholder", "holds a character that FHIR text cannot carry")


@register
@dataclass(frozen=True)
class RedactText(Masker):
    """The placeholder for every text, so that an element which must hold text still does. Keyless."""

    name: ClassVar[str] = "redact_text"
    placeholder: str = "[redacted]"

    def __post_init__(self) -> None:
        _check_placeholder(self.placeholder)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _Text(self.placeholder)


@register
@dataclass(frozen=True)
class Narrative(Masker):
    """One XHTML `div` for every `Narrative.div`; pair it with a constant `Narrative.status` of `empty`. Keyless.

    R4 demands a div with some text (invariants txt-1 and txt-2); for the status `empty` it is "some equivalent of no
    human-readable text provided in this case" (http://hl7.org/fhir/R4/valueset-narrative-status.html).
    """

    name: ClassVar[str] = "narrative"
    placeholder: str = "No human-readable text provided in this case"

    def __post_init__(self) -> None:
        _check_placeholder(self.placeholder)

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _Text(f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(self.placeholder)}</div>')


#: A type, a subtype, and what may stand behind: parameters, of which the charset alone says how to read the bytes.
_MEDIA_TYPE = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126})\s*(;.*)?", re.S
)
_CHARSET = re.compile(r";\s*(charset\s*=\s*\"?[A-Za-z0-9][A-Za-z0-9._:-]{0,39}\"?)\s*(?=;|$)", re.I)


@dataclass(frozen=True)
class _BoundMediaType(BoundMasker):
    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        return [self._one(value) for value in values]

    def _one(self, value: str) -> str | None:
        found = _MEDIA_TYPE.fullmatch(value)
        if found is None:
            return None
        charset = _CHARSET.search(found[2] or "")
        # One that has nothing else stays as it is spelled.
        kept = found[1] + (f"; {charset[1]}" if charset else "")
        bare = "".join(value.split()).rstrip(";")
        return value if bare == "".join(kept.split()) else kept


@register
@dataclass(frozen=True)
class MediaType(Masker):
    """A MIME type (BCP 13) without its parameters but the charset: `image/png; name=joe_smith.png` names a file. Keyless.

    What is no MIME type: null.
    """

    name: ClassVar[str] = "media_type"

    def bind(self, keys: Subkeys) -> BoundMasker:
        """No subkey is asked for."""
        return _BoundMediaType()
