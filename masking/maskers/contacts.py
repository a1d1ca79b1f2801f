"""Telephone numbers, e-mail addresses, URLs and IP addresses: fakes from ranges that are reserved for fiction.

Nobody answers at 555-0100 to 555-0199 (NANPA), example.com, .org and .net (RFC 2606), 192.0.2.0/24, 198.51.100.0/24,
203.0.113.0/24 (RFC 5737) or 2001:db8::/32 (RFC 3849). Such ranges are small, so distinct sources may share a fake: 100
numbers an area code, 762 IPv4 addresses. Equal sources always do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, cast

from masking.maskers.base import BoundMasker, Masker, Subkeys, check, register
from masking.pools.choice import digits, keyed_bytes, other_shape, words
from masking.pools.load import area_codes
from masking.pools.names import fold, persona
from masking.pools.places import KEEPS, Keep, area_code, find_home

PURPOSE = "contacts"
PEOPLE = "people"  # the purpose of names: an e-mail's persona agrees with the masked name
PLACES = "places"  # the purpose of addresses: an area code agrees with the masked city

_LONGEST = 2048  # characters; what is longer is no telephone number, e-mail, URL or IP address
_EXTENSION = re.compile(r"(\s*(?:;\s*ext=|\bext(?:ension)?\b\.?|\bx|(?<=\d)x|#)\s*:?\s*)([0-9]{1,8})$", re.IGNORECASE)
_SLOTS: Final = dict.fromkeys(map(ord, "0123456789"), "%s")
_PHONE = re.compile(r"\+?[0-9\s().\-/·–]+")
_DIALLED_IN_US = re.compile(r"(?:[2-9][0-9]{2})?[0-9]{7}")
_DOMAINS: Final = ("example.com", "example.org", "example.net")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_IN_ANGLES = re.compile(r"<([^<>]*)>$")
_SCHEMES: Final = frozenset(("http", "https", "ftp", "ftps", "sftp", "ws", "wss", "ldap", "ldaps", "mllp", "mllps"))
_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*)://|(?=www\.))(?:[^/?#@]*@)?([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)
_IPV4_NETS: Final = tuple(map(ipaddress.IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_IPV6_NET: Final = ipaddress.IPv6Network("2001:db8::/32")


def _fake_phone(text: str, key: bytes, area: str | None) -> str | None:
    """Mask a number in its own punctuation; `area` is the area code to use, else one keyed by the number."""
    text = text.strip()
    found = _EXTENSION.search(text[-24:])
    number = text[: len(text) - len(found[0])] if found else text
    if len(text) > _LONGEST or not _PHONE.fullmatch(number):
        return None
    dialled = re.sub("[^0-9]", "", number)
    prefix, national = _split_prefix(dialled)
    if not 7 <= len(national) <= 15:
        return None
    which, line, *_ = words(key, "phone", national)
    area = area or area_codes()[which % len(area_codes())]
    extension = found[1] + other_shape(found[2], key, "extension", national) if found else ""
    if (number.startswith("+") and not prefix) or not _DIALLED_IN_US.fullmatch(national):
        return f"+1-{area}-555-01{line % 100:02d}{extension}"
    fake = (area if len(national) == 10 else "") + f"55501{line % 100:02d}"
    if fake == national:
        fake = fake[:-2] + f"{(line + 1) % 100:02d}"
    return _spell(number, prefix + fake) + extension


def _split_prefix(dialled: str) -> tuple[str, str]:
    """The country prefix as dialled ('', '1' or '001') and the rest; another country's number stays whole."""
    for prefix in ("1", "001"):
        if dialled.startswith(prefix) and _DIALLED_IN_US.fullmatch(dialled, len(prefix)) and len(dialled) > 10:
            return prefix, dialled[len(prefix) :]
    return "", dialled


def _spell(pattern: str, number: str) -> str:
    """Digits of `number` in the places of the digits of `pattern`, which holds no percent sign."""
    return pattern.translate(_SLOTS) % tuple(number)


@dataclass(frozen=True)
class BoundPhone(BoundMasker):
    """See `Phone`."""

    keep: Keep
    key: bytes = field(repr=False)
    places_key: bytes = field(repr=False)
    context = ("address",)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask telephone and fax numbers."""
        areas: dict[str, str | None] = {}
        masked = []
        for value, address in zip(values, context["address"], strict=True):
            name = address or ""
            if name not in areas:
                areas[name] = self._area(name)
            masked.append(_fake_phone(value, self.key, areas[name]))
        return masked

    def _area(self, address: str) -> str | None:
        source, place = find_home(self.places_key, address, self.keep)
        return None if source.from_value or place is None else area_code(self.places_key, source, place)


@register
@dataclass(frozen=True)
class Phone(Masker):
    """A telephone or fax number becomes 555-0100 to 555-0199 behind a real area code, spelled as the source is.

    The area code is that of the fake place of the `address` in the context (give the `keep` of the address masker),
    else keyed by the number. Equal digits give equal digits; '+1', '1' and extensions keep their shape. A number of
    another country becomes a fictional US one, '+1-206-555-0142'. Under 7 or over 15 digits, or letters: null.
    """

    name: ClassVar[str] = "phone"
    keep: str = "country"

    def __post_init__(self) -> None:
        check(self.keep in KEEPS, "keep", "not an area to keep", f"one of {', '.join(KEEPS)}")

    def bind(self, keys: Subkeys) -> BoundPhone:
        """Bind to the subkeys of `contacts` and of `places`, whose rows hold the area codes."""
        return BoundPhone(cast(Keep, self.keep), keys.subkey(PURPOSE), keys.subkey(PLACES))


#: Subject, sex, family and given name of whom a contact belongs to, each null where not known.
_Who = tuple[str | None, str | None, str | None, str | None]
_WHO: Final = ("subject", "sex", "family", "given")


def _people(context: Mapping[str, Sequence[str | None]]) -> list[_Who]:
    return list(zip(context["subject"], context["sex"], context["family"], context["given"], strict=True))


def _fake_email(text: str, key: bytes, people_key: bytes, who: _Who) -> str | None:
    subject, sex, family, given = who
    folded = fold(text.strip())
    angled = _IN_ANGLES.search(folded)
    folded = (angled[1] if angled else folded).removeprefix("mailto:").strip()
    if len(folded) > _LONGEST or not _EMAIL.fullmatch(folded):
        return None
    first, last = persona(people_key, subject, sex, given=given, family=family, seed=folded)
    number, domain, spare, _ = words(key, "email", subject or "", folded)
    fake = f"{first}.{last}{digits(number, 6)}@{_DOMAINS[domain % 3]}"
    return fake if fake != folded else f"{first}.{last}{digits(spare, 7)}@{_DOMAINS[domain % 3]}"


@dataclass(frozen=True)
class BoundEmail(BoundMasker):
    """See `Email`."""

    key: bytes = field(repr=False)
    people_key: bytes = field(repr=False)
    context = _WHO

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask e-mail addresses."""
        rows = zip(values, _people(context), strict=True)
        return [_fake_email(value, self.key, self.people_key, who) for value, who in rows]


@register
@dataclass(frozen=True)
class Email(Masker):
    """An e-mail address becomes 'given.family123456@example.org' of the subject's persona.

    Six keyed digits keep the addresses of one persona apart (a pair collides once in a million); case does not matter.
    Where the context gives `family` and `given`, the persona is their masked form. Not an e-mail address: null.
    """

    name: ClassVar[str] = "email"

    def bind(self, keys: Subkeys) -> BoundEmail:
        """Bind to the subkeys of `contacts` and of `people`, whose names it bears."""
        return BoundEmail(keys.subkey(PURPOSE), keys.subkey(PEOPLE))


@dataclass(frozen=True)
class BoundUrl(BoundMasker):
    """See `Url`."""

    key: bytes = field(repr=False)
    people_key: bytes = field(repr=False)
    context = _WHO

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask URLs."""
        return [self._mask(value.strip(), who) for value, who in zip(values, _people(context), strict=True)]

    def _mask(self, text: str, who: _Who) -> str | None:
        scheme, colon, rest = text.partition(":")
        if colon and scheme.casefold() in ("tel", "fax", "sms"):
            return _prefixed(text[: len(scheme) + 1], _fake_phone(rest, self.key, None))
        if colon and scheme.casefold() == "mailto":
            return _prefixed(text[: len(scheme) + 1], _fake_email(rest, self.key, self.people_key, who))
        found = _URL.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None or (found[1] and found[1].casefold() not in _SCHEMES):
            return None
        host, path = found[2].casefold(), found[3]
        first, _, _, domain = words(self.key, "host", host)
        fake = f"h{first % 16**10:010x}.{_DOMAINS[domain % 3]}"
        path = "/" + keyed_bytes(self.key, "path", host, path).hex()[:16] if path.strip("/") else path
        return (f"{found[1]}://" if found[1] else "www.") + fake + path


def _prefixed(prefix: str, fake: str | None) -> str | None:
    return None if fake is None else prefix + fake


@register
@dataclass(frozen=True)
class Url(Masker):
    """A URL keeps its scheme; its host becomes a keyed one under a reserved domain, and its path one keyed token.

    Equal hosts stay equal. `tel:` and `mailto:` are masked as numbers and addresses. `urn:`, `data:`, unknown schemes
    and text without a scheme (unless it begins with 'www.'): null; references and OIDs are other maskers' business.
    """

    name: ClassVar[str] = "url"

    def bind(self, keys: Subkeys) -> BoundUrl:
        """Bind to the subkeys of `contacts` and, for `mailto:`, of `people`."""
        return BoundUrl(keys.subkey(PURPOSE), keys.subkey(PEOPLE))


@dataclass(frozen=True)
class BoundIp(BoundMasker):
    """See `Ip`."""

    key: bytes = field(repr=False)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask IP addresses."""
        return [self._mask(value.strip()) for value in values]

    def _mask(self, text: str) -> str | None:
        address, slash, _ = text.partition("/")
        try:
            source = ipaddress.ip_address(address.partition("%")[0])
            network = ipaddress.ip_network(text, strict=False) if slash else None
        except ValueError:
            return None
        fake = _reserved(source.version, keyed_bytes(self.key, "ip", source.compressed), source.compressed)
        return fake + (f"/{network.prefixlen}" if network else "")


def _reserved(version: int, drawn: bytes, avoid: str) -> str:
    """An address of a documentation range out of keyed bytes: 96 bits of an IPv6, hosts 1 to 254 of the IPv4 ranges."""
    number = int.from_bytes(drawn[:12], "big")
    if version == 6:
        return str(_IPV6_NET[number])
    fakes = (str(_IPV4_NETS[at % 3][1 + at // 3 % 254]) for at in (number, number + 1))
    return next(fake for fake in fakes if fake != avoid)


@register
@dataclass(frozen=True)
class Ip(Masker):
    """An IP address becomes one of a documentation range: 762 for IPv4, so these collide, and 2**96 for IPv6.

    Spellings of one IPv6 address are one; zones are dropped; '/24' stays. A host name or anything else: null.
    """

    name: ClassVar[str] = "ip"

    def bind(self, keys: Subkeys) -> BoundIp:
        """Bind to the subkey of `contacts`."""
        return BoundIp(keys.subkey(PURPOSE))
