"""What masks the number by which somebody is referred to: as the record of whoever has it masks it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from masking.maskers.base import BoundMasker, People


@dataclass(frozen=True)
class IdentifierMaskers:
    """What masks `identifier=system|value`: the value by system; where people are known, by the type that the record of
    whoever has it gives it; else the default. None redacts.
    """

    systems: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    default: BoundMasker | None = None
    types: Mapping[str, BoundMasker | None] = field(default_factory=dict)
    people: People | None = field(default=None, repr=False, compare=False)
    #: what masks the system itself, as `Identifier.system` is masked
    system: BoundMasker | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "people": None}

    def with_people(self, people: People) -> IdentifierMaskers:
        """The same, knowing people."""
        return replace(self, people=people)

    def mask_systems(self, systems: Iterable[str]) -> dict[str, str]:
        """The masked form of each system; "" where it goes, as in an Identifier that has none."""
        distinct = [system for system in dict.fromkeys(systems) if system]
        masked: list[str | None] = [None] * len(distinct)
        if self.system is not None:
            nothing: dict[str, Sequence[str | None]] = dict.fromkeys(self.system.context, masked)
            masked = self.system.mask_distinct(distinct, **nothing)
        return {"": ""} | {system: text or "" for system, text in zip(distinct, masked, strict=True)}

    def mask(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
        """The masked value of each (system, value), the same as `Identifier.value` of that system has."""
        alike: dict[tuple[str, str | None], list[str]] = {}
        for system, value in dict.fromkeys(pairs):
            alike.setdefault((system, self.type_of(system, value)), []).append(value)
        answers: dict[tuple[str, str], str | None] = {}
        for (system, code), values in alike.items():
            masker = self.types[code] if code else self.systems.get(system, self.default)
            masked: list[str | None] = [None] * len(values)
            if masker is not None:
                told = {"system": system or None}
                context = {name: [told.get(name)] * len(values) for name in masker.context}
                masked = masker.mask_distinct(values, **context)
            answers.update(((system, value), text) for value, text in zip(values, masked, strict=True))
        return answers

    def type_of(self, system: str, value: str) -> str | None:
        """The type code by which the record of whoever has an identifier rules it, "" where by none; null where no record
        is known, or the system has a rule, which goes before types.
        """
        if self.people is None or not self.types or system in self.systems:
            return None
        facts = self.people.facts("/" + json.dumps(f"{system}|{value}", ensure_ascii=False)[1:-1])
        held = [one for one in (facts.identifiers if facts else ()) if (one.system, one.value) == (system, value)]
        return next((code for one in held for code in one.types if code in self.types), "") if held else None
