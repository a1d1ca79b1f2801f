"""What the scrubber is told, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

#: What a term may be.
TERM_KINDS = (
    "given",
    "family",
    "name",  # a whole name
    "phone",  # telephone, fax and pager
    "email",
    "url",
    "user_name",
    "identifier",
    "line",  # a street line
    "city",
    "zip",
    "organization",
    "birth_date",  # a FHIR date, of birth or death, whose fake need not be the date shifted by the dossier's days
)

How = Literal["known", "shaped"]


class Term(NamedTuple):
    """One real value of a person and its masked one; without a fake, `[kind]` takes its place."""

    kind: str
    real: str
    fake: str | None

    def __repr__(self) -> str:  # values are PHI: they must not reach a log by way of a traceback or an assertion
        return f"Term(kind={self.kind!r})"


class Dossier(NamedTuple):
    """What is known for one text: the subject's terms first, then relatives', practitioners', organizations'.

    Where two terms have the same real value, the first one's fake is taken. `days` is the subject's date offset; None:
    dates become `[date]`.
    """

    terms: tuple[Term, ...]
    days: int | None

    def __repr__(self) -> str:
        return f"Dossier(<{len(self.terms)} terms>)"

    @property
    def parts(self) -> tuple[tuple[Term, ...], ...]:
        """All of it as one part."""
        return (self.terms,) if self.terms else ()


class Company:
    """A dossier of several people, each with terms that other dossiers share: the very tuples, which are told apart by
    their identity. It says what a `Dossier` of all these terms, one after the other, would.
    """

    __slots__ = ("days", "parts")

    def __init__(self, parts: Sequence[tuple[Term, ...]], days: int | None) -> None:
        self.parts = tuple(part for part in parts if part)
        self.days = days

    def __repr__(self) -> str:
        return f"Company(<{len(self.parts)} people>)"


AnyDossier: TypeAlias = Dossier | Company


class Span(NamedTuple):
    """A part of the source text (character positions) that was replaced: of the dossier, or by its shape."""

    start: int
    stop: int
    kind: str
    how: How


class Scrubbed:
    """A text without its identifiers, and where they stood in the source, in order and apart.

    Spans may be given as a function: they are many, and seldom asked for.
    """

    __slots__ = ("_spans", "text")

    def __init__(self, text: str, spans: tuple[Span, ...] | Callable[[], tuple[Span, ...]]) -> None:
        self.text = text
        self._spans = spans

    @property
    def spans(self) -> tuple[Span, ...]:
        """The parts that were replaced."""
        if callable(self._spans):
            self._spans = self._spans()
        return self._spans

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scrubbed) and (self.text, self.spans) == (other.text, other.spans)

    def __hash__(self) -> int:
        return hash((self.text, self.spans))

    def __repr__(self) -> str:  # what is kept of a text is PHI, as a record is
        return f"Scrubbed(<{len(self.text)} characters>)"


class Found(NamedTuple):
    """A span with what takes its place."""

    start: int
    stop: int
    kind: str
    how: How
    new: str
