"""Who was born together: twins share their birthday and the offset of their dates, as far as the run knows of them."""

from __future__ import annotations

from masking.maskers.base import People


def is_patients(owner: str | None) -> bool:
    """Whether what a record's name says may be a patient's; so it may be where nothing is said."""
    return owner is None or owner.startswith(("Patient/", "/"))


def dated_as(people: People | None, subject: str) -> str:
    """The key by which a patient's dates are masked: one for all of a multiple birth, else the patient's own.

    Ids repeat between types: ask for patients alone.
    """
    facts = None if people is None else people.facts(f"Patient/{subject}")
    return min(facts.births, default=subject) if facts is not None else subject
