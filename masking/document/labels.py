"""What the engine puts into documents: security labels, and the reason why a value is absent."""

from __future__ import annotations

#: https://hl7.org/fhir/R4/extension-data-absent-reason.html
ABSENT = b'{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}'
#: https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html
SYSTEM = b"http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
_LABELS = {b"PSEUDED": b"pseudonymized", b"REDACTED": b"redacted"}


def label(code: bytes) -> bytes:
    """A security label as JSON."""
    return b'{"system":"%b","code":"%b","display":"%b"}' % (SYSTEM, code, _LABELS[code])


PSEUDED, REDACTED = label(b"PSEUDED"), label(b"REDACTED")
