"""The codes of R4's required bindings, where the value set is closed. Apart from the element table, which is read by all.

Source: HL7's value sets of R4 4.0.1 (CC0); see `masking.fhir.generate_codes`.
"""

from __future__ import annotations

import functools
import json
from importlib import resources


@functools.cache
def codes(value_set: str) -> frozenset[str] | None:
    """The codes of a value set, by its canonical with or without a version; None where they are not all known."""
    listed = _sets().get(value_set.partition("|")[0])
    return None if listed is None else frozenset(listed.split(" "))


@functools.cache
def _sets() -> dict[str, str]:
    """All of them, a value set's codes in one text: no code of R4 has a blank. Under a millisecond, once a process."""
    text = resources.files("masking.fhir").joinpath("data/codes.json").read_bytes()
    loaded: dict[str, str] = json.loads(text)["sets"]
    return loaded
