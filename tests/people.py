"""Records of people for tests: small, and linked in the ways that R4 has."""

from __future__ import annotations

import json
from typing import Any


def patient(own_id: str, family: str = "", **rest: Any) -> dict[str, Any]:
    name = {"name": [{"use": "official", "family": family}]} if family else {}
    return {"resourceType": "Patient", "id": own_id, **name, **rest}


def related(own_id: str, of: str, **rest: Any) -> dict[str, Any]:
    return {"resourceType": "RelatedPerson", "id": own_id, "patient": {"reference": of}, **rest}


def linked(*others: str) -> dict[str, Any]:
    return {"link": [{"other": {"reference": other}, "type": "seealso"} for other in others]}


def bundle(*entries: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": full_url, "resource": resource} for full_url, resource in entries],
    }


def line(resource: Any) -> bytes:
    return json.dumps(resource).encode()
