"""Where the resources of one patient, or of one region's directory, gather as finished lines with their truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from masking.sample.awkward import escape as ascii_only
from masking.sample.draw import Ids
from masking.sample.truth import Truth

#: A JSON object under construction; values may be `msgspec.Raw`, which is written as it stands.
Json = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Chart:
    """Finished lines by type, in the order they were added, and the lines of truth that go with them."""

    __slots__ = ("_escaped", "lines", "new_id", "patient", "truth")

    def __init__(self, patient: str | None, *scope: object, escaped: bool = False) -> None:
        """`scope` (the seed and a position) makes the ids; `escaped` spells all but ASCII as `\\uXXXX`."""
        self.patient = patient
        self.lines: dict[str, list[bytes]] = {}
        self.truth: list[Truth] = []
        #: Gives a fresh UUID at each call.
        self.new_id = Ids(*scope).next
        self._escaped = escaped

    def add(self, resource: Json, planted: Iterable[tuple[str, str, str]] = ()) -> None:
        """Encode a resource (`resourceType` and `id` present) and note what was planted in it, by paths below it."""
        resource_type, resource_id = resource["resourceType"], resource["id"]
        line = _encode(resource)
        self.lines.setdefault(resource_type, []).append(ascii_only(line) if self._escaped else line)
        own, prefix = self.patient, f"{resource_type}."
        if meta := resource.get("meta"):
            self.truth.append(
                Truth(own, resource_type, resource_id, f"{prefix}meta.lastUpdated", "dates", meta["lastUpdated"])
            )
        for path, kind, value in planted:
            self.truth.append(Truth(own, resource_type, resource_id, prefix + path, kind, value))


class Text:
    """Free text under construction that remembers which of its words identify somebody."""

    __slots__ = ("_lines", "found")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.found: list[tuple[str, str]] = []

    def put(self, kind: str, value: str) -> str:
        """Note a planted value and hand it back, for use inside an f-string."""
        self.found.append((kind, value))
        return value

    def say(self, *lines: str) -> Text:
        """Add lines."""
        self._lines += lines
        return self

    def plain(self) -> str:
        """The text, a line a line."""
        return "\n".join(self._lines)

    def xhtml(self) -> str:
        """The text as paragraphs, its special characters escaped."""
        return "".join(f"<p>{escape(line, quote=False)}</p>" for line in self._lines)

    def narrative(self) -> Json:
        """The text as a FHIR Narrative."""
        return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{self.xhtml()}</div>'}

    def planted(self, path: str) -> list[tuple[str, str, str]]:
        """What was put in, as planted at one path."""
        return [(path, kind, value) for kind, value in self.found]


#: Which parts of the data types identify somebody: (key, kind); the kind of a contact point goes by its system.
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "postalCode")
_TELECOM_KINDS = {"phone": "phone", "sms": "phone", "fax": "fax", "email": "email", "url": "url", "pager": "phone"}


def plant_name(path: str, name: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The planted parts of a HumanName (a title such as `Dr.` is not one)."""
    return [
        (f"{path}.{key}", "names", value)
        for key in _NAME_PARTS
        if key in name and key not in ("prefix", "suffix")
        for value in _listed(name[key])
    ]


def plant_address(path: str, address: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The planted parts of an Address: all that is smaller than a state."""
    return [
        (f"{path}.{key}", "geographic", value)
        for key in _ADDRESS_PARTS
        if key in address
        for value in _listed(address[key])
    ]


def plant_telecom(path: str, points: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """The planted values of ContactPoints."""
    return [(f"{path}.value", _TELECOM_KINDS[point["system"]], point["value"]) for point in points]


def plant_period(path: str, period: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Start and end, as far as present."""
    return [(f"{path}.{key}", "dates", period[key]) for key in ("start", "end") if key in period]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
