"""The maskers: one small file a family. Importing this package fills the registry of `masking.maskers.base`."""

from masking.maskers import (
    births,
    combine,
    contacts,
    dates,
    displays,
    facilities,
    generic,
    identifiers,
    issued,
    notes,
    numbers,
    people,
    places,
    references,
    text,
    units,
)

__all__ = [
    "births",
    "combine",
    "contacts",
    "dates",
    "displays",
    "facilities",
    "generic",
    "identifiers",
    "issued",
    "notes",
    "numbers",
    "people",
    "places",
    "references",
    "text",
    "units",
]
