"""Maskers made of maskers: chain (one after the other), one_of_by (chosen by what stands beside the value), keep_listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from masking.maskers.base import CONTEXT, BoundMasker, Masker, People, Subkeys, check, register

#: The context of some rows: a column of text or null for each name.
Columns = Mapping[str, Sequence[str | None]]


class _Combined(BoundMasker):
    """A bound masker that asks for what its parts ask for: context, and what the run knows of people."""

    @property
    def _parts(self) -> Sequence[BoundMasker]:
        raise NotImplementedError

    def _ask_for(self, *names: str) -> None:
        # Per object, not per class, and past the guard of a frozen dataclass: it travels in the pickled state.
        parts = self._parts
        wanted = {*names, *(name for part in parts for name in part.context)}
        object.__setattr__(self, "context", tuple(name for name in CONTEXT if name in wanted))
        object.__setattr__(self, "asks_people", any(part.asks_people for part in parts))
        may = any(part.may_blank or part.always is not None for part in parts)
        object.__setattr__(self, "may_blank", may)

    def blanks(self, value: str, answer: str) -> bool:
        return any(part.blanks(value, answer) for part in self._parts)


def _apply(masker: BoundMasker, values: Sequence[str | None], context: Columns) -> list[str | None]:
    """Mask values of which some may be null by now or equal, keeping the promise that a masker gets distinct rows."""
    rows = list(zip(values, *(context[name] for name in masker.context), strict=True))
    distinct = list(dict.fromkeys(row for row in rows if row[0] is not None))
    if not distinct:
        return [None] * len(rows)
    columns = list(zip(*distinct, strict=True))
    first = [value for value in columns[0] if value is not None]
    answers = masker.mask_distinct(first, **dict(zip(masker.context, columns[1:], strict=True)))
    masked = dict(zip(distinct, answers, strict=True))
    return [masked.get(row) for row in rows]


@dataclass(frozen=True)
class _BoundChain(_Combined):
    links: tuple[BoundMasker, ...]

    def __post_init__(self) -> None:
        self._ask_for()

    @property
    def _parts(self) -> Sequence[BoundMasker]:
        return self.links

    def with_people(self, people: People) -> _BoundChain:
        """Every link knowing people."""
        return _BoundChain(tuple(link.with_people(people) for link in self.links))

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        masked: list[str | None] = list(values)
        for link in self.links:
            masked = _apply(link, masked, context)
        return masked


@register
@dataclass(frozen=True)
class Chain(Masker):
    """Each value through every masker, in order; null at one of them is null at the end.

    The context of every link is the source's: a birth date masked by the first link does not become the context of the
    second. Two maskers at least, or there is nothing to chain.
    """

    name: ClassVar[str] = "chain"
    maskers: tuple[Masker, ...]

    def __post_init__(self) -> None:
        check(isinstance(self.maskers, Sequence) and not isinstance(self.maskers, str), "maskers", "is not a list")
        object.__setattr__(self, "maskers", tuple(self.maskers))
        check(len(self.maskers) >= 2, "maskers", "holds fewer than two maskers", "use the masker itself")
        for index, masker in enumerate(self.maskers):
            check(isinstance(masker, Masker), f"maskers.{index}", "is not a masker")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Bind every link; each asks for the subkeys of its own purposes."""
        return _BoundChain(tuple(masker.bind(keys) for masker in self.maskers))


@dataclass(frozen=True)
class _BoundChoice(_Combined):
    by: str
    cases: Mapping[str, BoundMasker]
    default: BoundMasker | None

    def __post_init__(self) -> None:
        self._ask_for(self.by)

    @property
    def _parts(self) -> Sequence[BoundMasker]:
        return [*self.cases.values(), *([self.default] if self.default else [])]

    def with_people(self, people: People) -> _BoundChoice:
        """Every case knowing people."""
        cases = {case: masker.with_people(people) for case, masker in self.cases.items()}
        return _BoundChoice(self.by, cases, self.default.with_people(people) if self.default else None)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        rows: dict[str | None, list[int]] = {}
        for row, case in enumerate(context[self.by]):
            rows.setdefault(case if case in self.cases else None, []).append(row)
        masked: list[str | None] = [None] * len(values)
        for case, chosen in rows.items():
            part = self.default if case is None else self.cases[case]
            if part is None:
                continue
            columns = {name: [context[name][row] for row in chosen] for name in part.context}
            for row, answer in zip(chosen, _apply(part, [values[row] for row in chosen], columns), strict=True):
                masked[row] = answer
        return masked


@register
@dataclass(frozen=True)
class OneOfBy(Masker):
    """The masker of the case that the context `by` names, as in `by: system, cases: {phone: phone, email: email}`.

    `by` is one of `masking.maskers.base.CONTEXT`; a case matches exactly. A value whose context is null or names no
    case goes to `default`, and to null where there is none.
    """

    name: ClassVar[str] = "one_of_by"
    by: str
    # A dict has no hash; equal specs still have equal ones.
    cases: Mapping[str, Masker] = field(hash=False)
    default: Masker | None = None

    def __post_init__(self) -> None:
        check(self.by in CONTEXT, "by", "is nothing that can be asked for", "one of: " + ", ".join(CONTEXT))
        check(isinstance(self.cases, Mapping) and len(self.cases) > 0, "cases", "is not a mapping of values to maskers")
        for index, (case, masker) in enumerate(self.cases.items()):
            check(isinstance(case, str), "cases", f"case {index + 1} is not text", "put it in quotes")
            check(isinstance(masker, Masker), f"cases.{case}", "is not a masker")
        check(self.default is None or isinstance(self.default, Masker), "default", "is not a masker")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Bind every case; each asks for the subkeys of its own purposes."""
        cases = {case: masker.bind(keys) for case, masker in self.cases.items()}
        return _BoundChoice(self.by, cases, self.default.bind(keys) if self.default else None)


@dataclass(frozen=True)
class _BoundKeepListed(_Combined):
    keep: tuple[str, ...]
    others: BoundMasker

    def __post_init__(self) -> None:
        self._ask_for()

    @property
    def _parts(self) -> Sequence[BoundMasker]:
        return (self.others,)

    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        stays = [any(_matches(value, known) for known in self.keep) for value in values]
        rest = [None if stay else value for value, stay in zip(values, stays, strict=True)]
        masked = _apply(self.others, rest, context)
        return [value if stay else text for value, stay, text in zip(values, stays, masked, strict=True)]


def _matches(value: str, known: str) -> bool:
    return value.startswith(known[:-1]) if known.endswith("*") else value == known


@register
@dataclass(frozen=True)
class KeepListed(Masker):
    """A value on the list stays; any other goes to the masker `others`. A trailing '*' matches any rest; case matters."""

    name: ClassVar[str] = "keep_listed"
    keep: tuple[str, ...]
    others: Masker

    def __post_init__(self) -> None:
        check(isinstance(self.keep, Sequence) and not isinstance(self.keep, str), "keep", "is not a list of texts")
        object.__setattr__(self, "keep", tuple(self.keep))
        fit = [isinstance(known, str) and known.strip("*") != "" and "*" not in known[:-1] for known in self.keep]
        check(all(fit), "keep", "holds what would match everything", "'*' stands at the end only, for any rest")
        check(isinstance(self.others, Masker), "others", "is not a masker")

    def bind(self, keys: Subkeys) -> BoundMasker:
        """Bind the masker of the others."""
        return _BoundKeepListed(self.keep, self.others.bind(keys))
