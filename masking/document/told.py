"""What the pieces of a large resource must know of the whole: its subject, its id, and the context that maskers ask
for.

The same answers that `masking.document.frame` gives for a resource in one piece, found by looking instead of by
compiling: a large resource seldom repeats its shape. A test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from masking.document.frame import ADDRESS
from masking.document.program import Outer
from masking.document.subjects import Subjects, contained_key, id_key, identifier_key
from masking.document.tokens import to_part
from masking.fhir.compartment import is_person, subject_paths
from masking.fhir.elements import children

#: Numbers are none of our business: a huge one must not stop the reading.
_value = msgspec.json.Decoder(float_hook=lambda spelled: None)


def tell(fields: Mapping[str, msgspec.Raw], resource_type: str, around: Outer, subjects: Subjects) -> Outer:
    """What the resource of these properties tells its pieces; `around` is what its container told it."""
    known = children(resource_type)

    def text(name: str) -> bytes | None:
        return _spelled(_read(fields[name])) if name in fields and name in known else None

    own = text("id")
    root_id = around.root_id if around.root_id is not None else own or b""
    return Outer(
        subject=_subject(fields, resource_type, around, subjects, own, root_id),
        root_id=root_id,
        sex=text("gender"),
        deceased=text("deceasedDateTime"),
        birth_date=text("birthDate"),
        address=_address(_read(fields["address"])) if "address" in fields else None,
    )


def _subject(
    fields: Mapping[str, msgspec.Raw],
    resource_type: str,
    around: Outer,
    subjects: Subjects,
    own: bytes | None,
    root_id: bytes,
) -> bytes | None:
    if is_person(resource_type):
        if own is None:
            return None
        return id_key(own) if around.root_id is None else contained_key(root_id, b"#" + own)
    by_identifier: bytes | None = None
    for found in _candidates(fields, resource_type):
        reference = _spelled(found.get("reference"))
        if reference is not None:
            key = subjects.of(reference, root_id)
            if key is not None:
                return key
        elif by_identifier is None and isinstance(identifier := found.get("identifier"), dict):
            system, value = identifier.get("system"), identifier.get("value")
            if isinstance(value, str):
                by_identifier = identifier_key(system if isinstance(system, str) else None, value)
    if by_identifier is not None:
        return by_identifier
    return around.subject if around.root_id is not None else id_key(own)


def _candidates(fields: Mapping[str, msgspec.Raw], resource_type: str) -> Iterator[dict[str, Any]]:
    """The References that may name the subject, best first."""
    for path in subject_paths(resource_type):
        first, *rest = path.split(".")
        found = _flat([_read(fields[first])]) if first in fields else []
        for name in rest:
            found = _flat([here[name] for here in found if isinstance(here, dict) and name in here])
        yield from (here for here in found if isinstance(here, dict))


def _address(value: Any) -> bytes | None:
    """The first address in one line, as the masker of addresses wants it."""
    if isinstance(value, list):
        value = next(iter(value), None)
    if not isinstance(value, dict):
        return None
    groups = ([value.get(name)] if not isinstance(value.get(name), list) else value[name] for name in ADDRESS)
    return b"|".join(b", ".join([part for item in group if (part := _spelled(item)) is not None]) for group in groups)


def _read(raw: msgspec.Raw) -> Any:
    """A property as Python sees it; null for one with a number that Python will not hold."""
    try:
        return _value.decode(raw)
    except msgspec.ValidationError:
        return None


def _spelled(value: Any) -> bytes | None:
    return to_part(value) if isinstance(value, str) else None


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]
