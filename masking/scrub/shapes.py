"""What is shaped like an identifier, whoever it belongs to: found at a number, a label, a link or a title."""

from __future__ import annotations

import ipaddress
import re

from masking.checkdigits import is_valid
from masking.pools.states import STATES
from masking.scrub.dates import NUMERIC
from masking.scrub.vocabulary import BARE, LABELS, WEAK

_EXT = r"(?:\s*(?:;\s*ext=|,?\s*\bext(?:ension)?\b\.?|x|#)\s*:?\s*[0-9]{1,8}\b)?"
_HEX = "[0-9A-Fa-f]"

#: What may begin at a number; a date first, since it is the commonest.
AT_NUMBER = re.compile(
    NUMERIC
    + rf"|(?P<uuid>{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}})(?![0-9A-Za-z])"
    + r"|(?P<ssn>[0-9]{3}(?P<s3>[- ])[0-9]{2}(?P=s3)[0-9]{4})(?![0-9]|-[0-9])"
    + rf"|(?P<phone>(?:(?:00)?1[-. ]{{1,2}})?\(?[2-9][0-9]{{2}}\)?[-. /]{{0,2}}[0-9]{{3}}[-. ][0-9]{{4}}(?![0-9]|[-.][0-9]){_EXT}"
    + rf"|1?[2-9][0-9]{{2}}[2-9][0-9]{{6}}(?![0-9A-Za-wyzA-WYZ]|[-.][0-9]){_EXT})"
    + r"|(?P<ip>[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})(?:/[0-9]{1,2})?(?![0-9]|\.[0-9])"
    + r"|(?P<age>(?:9[0-9]|1[0-4][0-9])(?=\s*-?\s*(?:years?|yrs?|y/?o|y\.o)\b(?!\s*ago)))"
    + rf"|(?P<mac>{_HEX}{{2}}(?P<s4>[:-]){_HEX}{{2}}(?:(?P=s4){_HEX}{{2}}){{4}})(?!{_HEX}|[:-]{_HEX})"
    + rf"|(?P<ip6>{_HEX}{{1,4}}(?::{_HEX}{{0,4}}){{2,7}})(?![0-9A-Za-z])"
    + r"|(?P<local>[2-9][0-9]{2}[-.][0-9]{4})(?![0-9A-Za-z]|[-.][0-9])"
    + r"|(?P<zip>[0-9]{5}(?:-[0-9]{4})?)(?![0-9A-Za-z]|-[0-9])"
    + r"|(?P<bare>9[0-9]|1[0-4][0-9])(?![0-9A-Za-z]|[./,-][0-9])"
    + r"|(?P<vin>[0-9A-HJ-NPR-Za-hj-npr-z]{17})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
AT_HEX = re.compile(
    rf"(?P<uuid>{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}})(?![0-9A-Za-z])"
    rf"|(?P<mac>{_HEX}{{2}}(?P<s>[:-]){_HEX}{{2}}(?:(?P=s){_HEX}{{2}}){{4}})(?!{_HEX}|[:-]{_HEX})"
    rf"|(?P<ip6>{_HEX}{{1,4}}(?::{_HEX}{{0,4}}){{2,7}})(?![0-9A-Za-z])"
)
_INTERNATIONAL = re.compile(rf"\+[0-9]{{1,3}}(?:[-. (]{{0,2}}\(?[0-9]{{1,5}}\)?){{2,6}}(?![0-9]){_EXT}", re.IGNORECASE)
_PHONE_CUE = re.compile(
    r"(?:\b(?:call(?:ed)?|phone|tel(?:ephone)?|fax|cell|mobile|pager|page|ph|home|work|office|at|or|number|no|contact|"
    r"reached|dial)\b\.?|[(#])\s*(?:number|no\.?|is|at|#)*\s*:?\s*$",
    re.IGNORECASE,
)
_STATE = re.compile(
    rf"(?:\b(?:{'|'.join(sorted(STATES))}),?\s+|\b(?i:zip|postal)(?:\s*(?i:code))?\s*[:#]?\s*(?i:is\s+)?)$"
)
_AGE_CUE = re.compile(
    r"\b(?:aged?|ages|age\s+(?:of|is|was)|turn(?:ed|s|ing)|died\s+at|lived\s+to)\s*[:=]?\s*$", re.IGNORECASE
)
SPELLED_AGE = re.compile(
    r"(?:ninety(?:[\s-]?(?:one|two|three|four|five|six|seven|eight|nine))?|(?:(?:one|a)\s+)?hundred(?:\s+and)?"
    r"(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine|ten))?)(?=[\s-]+(?:years?|yrs?)(?:[\s-]+old|\s+of\s+age)\b)",
    re.IGNORECASE,
)
#: What may stand between a label and its number.
_AFTER = re.compile(
    r"(?P<between>(?:\s{0,2}\b(?:security|medical|record|health|plan|licen[cs]e|member|insurance|policy|patient|"
    r"card|plates?|code|certificate|claim|serial|account|acct|sticker|passport|identification|identifier|reg(?:istration)?)\b\.?)*"
    r"(?P<mark>(?:\s{0,2}(?:numbers?\b|num\b\.?|no\b\.?|nr\b\.?|id\b|#|ending\b|last\s+(?:four|4)(?:\s+digits)?\b|in\b(?=\s+[0-9*xX])|ends?\b|with\b(?=\s+[0-9])|:|=|is\b|was\b|\())*)"
    r"[\s:#=(.-]{0,4})"
    r"(?P<value>(?:[*xX]{3}-[*xX]{2}-)?(?=[A-Za-z-]{0,8}[0-9])[A-Za-z0-9]+(?:[-./_][A-Za-z0-9]+)*)",
    re.IGNORECASE,
)
#: Behind a label: a plate behind its state; a number in blanks, such as `C 28 114 902`.
_STATES_PLATE = re.compile(
    rf"(?:\s{{0,2}}(?:numbers?|no\.?|#|:|is))*[\s:#]{{0,3}}(?:{'|'.join(sorted(STATES))})[\s-]{{1,2}}(?P<value>[A-Z0-9]{{2,4}}-?[A-Z0-9]{{2,5}})\b"
)
_IN_BLANKS = re.compile(
    r"(?:\s{0,2}(?:numbers?|no\b\.?|id|#|:|=|is))*[\s:#=]{1,3}(?P<value>(?:[A-Z]{1,3}\s?)?[0-9]{2,4}(?:\s[0-9]{2,4}){2,4})(?![\w%/]|[.,-][0-9])",
    re.IGNORECASE,
)
_DATE = re.compile(NUMERIC, re.IGNORECASE)
_PLATE = re.compile(r"(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*[0-9])[A-Z0-9]{2,4}-?[A-Z0-9]{2,5}")
_UNIT = re.compile(
    r"\s*(?:%|(?:mg|mcg|ml|g|kg|mm|cm|days?|weeks?|months?|years?|yrs?|hours?|hrs?|min(?:utes)?|times|tablets?|units?|visits?|"
    r"patients|cases|beats|bpm|am|pm)\b)",
    re.IGNORECASE,
)
#: Standards of codes: what follows them is clinical content.
_CODES = re.compile(
    r"\b(?:snomed(?:[\s-]?ct)?|sct|loinc|icd(?:-?(?:9|10)(?:-(?:cm|pcs))?)?|cpt|hcpcs|rxnorm|rxcui|ndc|cvx|oid|atc|gtin)"
    r"(?:\s+(?:codes?|concept|id|no\.?|number))*\s*[:#=(]?\s*$",
    re.IGNORECASE,
)
_EMAIL_LEFT = re.compile(r"[^\s@<>()\[\],;:\"'|{}\\/=?&]+$")
_EMAIL_RIGHT = re.compile(r"@[^\W_](?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)+|@\w+")
_DIGITS, _CLOCK = re.compile("[0-9.-]+"), re.compile("@[0-9]{1,4}(?:h|hrs?|am|pm)?", re.IGNORECASE)
_SPELLED_AT = re.compile(r"\(at\)\s?[^\W_](?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)+", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*$")
_REST = re.compile(r"[^\s<>\"'`{}|\\^]+")


def label_value(text: str, start: int, stop: int) -> tuple[int, int, str] | None:
    """The number behind a label, and its kind; None where there is none."""
    word = text[start:stop].casefold()
    if word == "n" and text[max(0, start - 2) : start].casefold() != "s/":
        return None
    kind = LABELS.get(word, "mrn")
    if kind in {"birth_date", "phone"}:
        return None
    apart = (_STATES_PLATE if kind == "plate" else _IN_BLANKS).match(text, stop, stop + 60)
    if apart is not None and sum(map(str.isdigit, apart["value"])) >= (2 if kind == "plate" else 7):
        return (*apart.span("value"), kind) if not _UNIT.match(text, apart.end("value")) else None
    found = _AFTER.match(text, stop, stop + 120)
    if found is None:
        return None
    value, marked = found["value"], found["mark"].strip() != ""
    digits, size = sum(map(str.isdigit, value)), sum(map(str.isalnum, value))
    if word in BARE and not marked and found["between"].strip() == "" and digits < (5 if word == "chart" else 7):
        return None
    least = 3 if word not in WEAK or (marked and kind != "plate") else 5
    if size < least or digits < 2 or _UNIT.match(text, found.end("value")):
        return None
    if kind == "plate" and not _PLATE.fullmatch(value):
        return None
    day = _DATE.fullmatch(value)
    if (day and not day["eight"]) or (size == 4 and digits == 4 and value[:2] in ("19", "20") and kind != "ssn"):
        return None
    if kind == "npi" and len(value) != 10:
        kind = "identifier"
    return found.start("value"), found.end("value"), kind


def is_number_of_code(text: str, start: int) -> bool:
    """Whether a number follows the name of a code system."""
    return _CODES.search(text, max(0, start - 40), start) is not None


def international(text: str, start: int) -> int:
    """Where a number that begins with '+' before `start` ends; 0 where it is none."""
    found = _INTERNATIONAL.match(text, start - 1)
    if found is None:
        return 0
    return found.end() if sum(map(str.isdigit, found[0])) >= 8 else 0


def is_zip(text: str, start: int) -> bool:
    """Whether five digits stand behind a state or a label."""
    return _STATE.search(text, max(0, start - 16), start) is not None


def is_local_phone(text: str, start: int) -> bool:
    """Whether `555-0100` stands behind something that numbers are dialled after."""
    return _PHONE_CUE.search(text, max(0, start - 24), start) is not None


def is_age(text: str, start: int) -> bool:
    """Whether a bare number over 89 is an age."""
    return _AGE_CUE.search(text, max(0, start - 16), start) is not None


def is_address(kind: str, text: str) -> bool:
    """Whether the parts of an IP address are in range, and a VIN has its check digit."""
    if kind == "vin":
        return is_valid("vin", text.upper()) and any(map(str.isalpha, text)) and any(map(str.isdigit, text))
    if kind == "ip":  # four numbers; as the standard says, none with a zero before it
        return all(len(part) == 1 or (part[0] != "0" and int(part) < 256) for part in text.split("."))
    if kind == "ip6" and "::" not in text and text.count(":") != 7:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def email_at(text: str, at: int) -> tuple[int, int] | None:
    """The e-mail address around an '@', or around `(at)`."""
    if text[at] == "(":
        apart = _SPELLED_AT.match(text, at)
        name = _EMAIL_LEFT.search(text, max(0, at - 128), at - (text[at - 1 : at] == " "))
        return (name.start(), apart.end()) if apart and name else None
    left, right = _EMAIL_LEFT.search(text, max(0, at - 128), at), _EMAIL_RIGHT.match(text, at)
    if left is None or right is None:
        return None
    if "." not in right[0] and (not left[0].isascii() or (_DIGITS.fullmatch(left[0]) and _CLOCK.fullmatch(right[0]))):
        return None  # '1/6/2020@1030' is a date with its hour
    return left.start(), right.end()


def link_at(text: str, at: int) -> tuple[int, int] | None:
    """The URL around a '://' or a `.com`, or behind a 'www'."""
    start = at
    if text.startswith(".", at):
        host = _HOST.search(text, max(0, at - 64), at)
        if host is None:
            return None
        start, at = host.start(), at + 4
        if not text.startswith(("/", "?", ":"), at):
            return start, at
    elif text.startswith("://", at):
        left = _SCHEME.search(text, max(0, at - 16), at)
        if left is None:
            return None
        start, at = left.start(), at + 3
    elif not text.startswith(".", at + 3):
        return None
    right = _REST.match(text, at)
    if right is None:
        return None
    found = right[0].rstrip(".,;:!?")
    while found.endswith((")", "]")) and found.count("(") + found.count("[") < found.count(")") + found.count("]"):
        found = found[:-1].rstrip(".,;:!?")
    return (start, at + len(found)) if found else None
