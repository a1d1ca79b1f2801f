"""The truth beside the export: one line for every planted value, with its patient, resource and path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

#: The eighteen identifiers of 45 CFR 164.514(b)(2)(i), (A) to (R), in the rule's order.
KINDS = (
    "names",
    "geographic",
    "dates",
    "phone",
    "fax",
    "email",
    "ssn",
    "mrn",
    "health_plan",
    "account",
    "license",
    "vehicle",
    "device",
    "url",
    "ip",
    "biometric",
    "photo",
    "other",
)


class Planted(NamedTuple):
    """A value that was put into a resource.

    `path` is the JSON path below the resource without array positions (`name.family`,
    `_birthDate.extension.valueDateTime`). The value stands there whole or, in references, narratives and free text, as
    a part. Attachments of text are meant decoded, pictures and recordings as their base64.
    """

    path: str
    kind: str
    value: str


class Truth(msgspec.Struct, gc=False):
    """One line of `truth.jsonl`. `patient` is the id of the patient whose record it is; null in the directory."""

    patient: str | None
    type: str
    id: str
    path: str
    kind: str
    value: str


_encode_lines = msgspec.json.Encoder().encode_lines


def truth_lines(truths: Sequence[Truth]) -> bytes:
    """The truths as JSON, each on a line of its own that ends in a newline."""
    return _encode_lines(truths)
