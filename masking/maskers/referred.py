"""The masker of an identifier that refers: `subject.identifier` is what the record of whom it means shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from masking.maskers._numbers import IdentifierMaskers
from masking.maskers.base import CONTEXT, BoundMasker, Masker, People, Subkeys


@dataclass(frozen=True)
class BoundReferred(BoundMasker):
    """See `Referred`."""

    others: BoundMasker
    identifiers: IdentifierMaskers = field(default_factory=IdentifierMaskers)

    def __post_init__(self) -> None:
        # Per object, not per class, and past the guard of a frozen dataclass: it travels in the pickled state.
        wanted = {"system", *self.others.context}
        object.__setattr__(self, "context", tuple(name for name in CONTEXT if name in wanted))
        object.__setattr__(self, "asks_people", self.others.asks_people)
        object.__setattr__(self, "may_blank", self.others.may_blank)

    def blanks(self, value: str, answer: str) -> bool:
        """Whether the other one does."""
        return self.others.blanks(value, answer)

    def with_identifiers(self, identifiers: IdentifierMaskers) -> BoundReferred:
        """The same masker, able to follow what records say."""
        return replace(self, identifiers=identifiers)

    def with_people(self, people: People) -> BoundReferred:
        """Knowing people, whose records say what type of identifier one is."""
        return replace(self, others=self.others.with_people(people), identifiers=self.identifiers.with_people(people))

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask values by their systems and what records say of them."""
        pairs = [(system or "", value) for value, system in zip(values, context["system"], strict=True)]
        is_known = [self.identifiers.type_of(*pair) is not None for pair in pairs]
        by_record = self.identifiers.mask(pair for pair, known in zip(pairs, is_known, strict=True) if known)
        rest = [place for place, known in enumerate(is_known) if not known]
        columns = {name: [context[name][place] for place in rest] for name in self.others.context}
        masked: list[str | None] = [by_record.get(pair) for pair in pairs]
        if rest:
            answers = self.others.mask_distinct([values[place] for place in rest], **columns)
            for place, answer in zip(rest, answers, strict=True):
                masked[place] = answer
        return masked


@dataclass(frozen=True)
class Referred(Masker):
    """The value of an Identifier in a Reference, by the rule that masks it in the record of whoever has it; `others` masks
    it where no record is known, or those of two humans have it. A plan makes it of a policy's rules for identifiers; no
    policy names it.
    """

    name: ClassVar[str] = "referred"
    others: Masker

    def bind(self, keys: Subkeys) -> BoundReferred:
        """Whatever the other one asks for."""
        return BoundReferred(self.others.bind(keys))
