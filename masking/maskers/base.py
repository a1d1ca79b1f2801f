"""The masker protocol, the registry and the null rule.

A masker is a frozen dataclass of its parameters (the *spec*). `bind` gives it the subkeys of its purposes and returns
a `BoundMasker`: the picklable thing that runs in workers and maps a Series of values to a Series of equal length and
index.

All values are FHIR text: dates, decimals and identifiers are strings spelled as in the source. Null stays null; a value
that a masker cannot read becomes null too, which the caller must treat as "redact and count" (it is never passed
through).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from masking.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

#: Stands between the names in `people`; no id and no identifier holds it.
BETWEEN = "\N{SYMBOL FOR UNIT SEPARATOR}"
#: Stands between what a reference names and the text beside it, in `strangers`.
APART = "\N{SYMBOL FOR RECORD SEPARATOR}"
#: What a masker may ask for beside the value. Each is a column of text aligned with the values; null where not known.
CONTEXT = (
    "subject",  # the key of the human whose value this is (the id part of a reference to them)
    "sex",  # FHIR administrative gender: male | female | other | unknown
    "system",  # Identifier.system, ContactPoint.system or Coding.system beside the value
    "unit",  # Quantity.code (else unit) beside the value, such as the UCUM code of an Age
    "deceased",  # date or dateTime of the subject's death, if known
    "birth_date",  # the subject's birth date, if known
    "family",  # HumanName.family beside the value; else of the name of whom the record around it is about
    "given",  # HumanName.given beside the value, joined by one space; else likewise
    "address",  # the whole source address in one line: line|city|state|postalCode|country, joined by '|'
    "referent",  # the name of the record that the Reference (or `who`) beside the value means: `Patient/123`; `/123` of any type
    "facility",  # the name that a facility's own record has, where the value is said of it elsewhere; null beside the record's own
    "owner",  # the name of the record whose key the subject is: `Patient/123`; `/123` of any type; its own of what names nobody
    "people",  # the names of all records of humans and organizations that the resource refers to, joined by BETWEEN
    "strangers",  # whom the resource names and no record describes, joined by BETWEEN: a record's name or "", APART, a display
    "numbers",  # what the text's resource is known by and the text may tell, joined by BETWEEN: `Type/id`, or an Identifier's
    # system, the codes of its type with spaces between, and its value, with APART between; APART and what no such rule masks
    "content_type",  # Attachment.contentType beside the value
    "data",  # Attachment.data beside the value
    "chart",  # the key of the patient in whose chart a RelatedPerson stands; null of all others, whose chart is the subject's
)


class People(Protocol):
    """What a run knows of humans and organizations (`masking.identity`); `who` is a subject key or a record's name."""

    def facts(self, who: str) -> Any:
        """All that is known of somebody (`masking.identity.facts.Facts`); None where nothing is."""

    def canonical(self, who: str) -> str:
        """The one key of a human with several records; of somebody unknown the key itself."""


class Subkeys(Protocol):
    """Whoever hands out subkeys by purpose (`masking.keys.Keyring`)."""

    def subkey(self, purpose: str) -> bytes:
        """The 32 bytes that belong to one purpose; the same purpose gives the same bytes."""
        ...


class BoundMasker(ABC):
    """A masker with its subkeys: pure, picklable, total. Holds keys with `repr=False` only."""

    #: The one text this masker makes of every value, if it has one: callers may write it without asking.
    always: str | None = None

    #: Whether `blanks` may say yes of an answer; callers need not ask otherwise.
    may_blank: bool = False

    #: Whether it asks for what the run knows of people; without it, it redacts. One made of others sets it for itself.
    asks_people: bool = False

    #: Names out of `CONTEXT` that `mask_distinct` takes as keyword arguments.
    context: ClassVar[tuple[str, ...]] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Those of its context that its answers depend on as it is bound; the others need not be looked for."""
        return self.context

    @abstractmethod
    def mask_distinct(self, values: Sequence[str], **context: Sequence[str | None]) -> list[str | None]:
        """Mask distinct, non-null values (with their context where one is declared); None where one cannot be read.

        A pure function of each value and its own context: the other values of the call must not matter.
        """

    def blanks(self, value: str, answer: str) -> bool:
        """Whether an answer has lost something of the value, so that the resource counts as redacted."""
        return self.always is not None and answer == self.always

    def with_people(self, people: People) -> BoundMasker:
        """The same masker, knowing people. Never pickled: a process opens its own knowledge."""
        return self

    def __call__(self, values: pd.Series, **context: pd.Series) -> pd.Series:
        """Mask a Series of text: equal length and index, null stays null, a distinct (value, context) masked once."""
        import pandas as pd  # noqa: PLC0415 (a worker that masks documents never needs it)

        columns = [context.get(name) for name in self.context]
        known = [[None] * len(values) if column is None else _listed(column) for column in columns]
        # As text before they are told apart: 0, 0.0 and False are equal in Python; whichever came first would decide.
        texts = [v if v is None or isinstance(v, str) else str(v) for v in _listed(values)]
        rows = list(zip(texts, *known, strict=True))
        distinct = list(dict.fromkeys(row for row in rows if row[0] is not None))
        masked: dict[tuple[Any, ...], str | None] = {}
        if distinct:
            first, *rest = (list(column) for column in zip(*distinct, strict=True))
            answers = self.mask_distinct(first, **dict(zip(self.context, rest, strict=True)))
            masked = dict(zip(distinct, answers, strict=True))
        return pd.Series([masked.get(row) for row in rows], index=values.index, dtype=object, name=values.name)


def _listed(column: pd.Series) -> list[Any]:
    """The column as a list, None for whatever pandas takes for null."""
    return [None if null else value for value, null in zip(column.tolist(), column.isna().tolist(), strict=True)]


@dataclasses.dataclass(frozen=True)
class Masker(ABC):
    """A masker's parameters, validated in `__post_init__` (raise `ParameterError`), registered under `name`."""

    name: ClassVar[str]
    #: How whoever holds the key gets a value back out of its masked form; "" where nothing but trying values does.
    way_back: ClassVar[str] = ""

    @abstractmethod
    def bind(self, keys: Subkeys) -> BoundMasker:
        """Fetch the subkeys of this masker's purposes and return what runs in workers."""


M = TypeVar("M", bound=type[Masker])
_REGISTRY: dict[str, type[Masker]] = {}


def register(cls: M) -> M:
    """Class decorator: make a masker known to policies and UDFs by its `name`."""
    if cls.name in _REGISTRY:
        raise RuntimeError(f"two maskers are called {cls.name!r}")
    _REGISTRY[cls.name] = cls
    return cls


def registered() -> Mapping[str, type[Masker]]:
    """All maskers by name. Import `masking.maskers` first: it imports every family."""
    return dict(sorted(_REGISTRY.items()))


def parameters(cls: type[Masker]) -> tuple[dataclasses.Field[Any], ...]:
    """The declared parameters of a masker, in order."""
    return dataclasses.fields(cls)


def parts_of(masker: Masker) -> Iterator[Masker]:
    """A masker and those that it is made of, at any depth."""
    yield masker
    for one in parameters(type(masker)):
        value = getattr(masker, one.name)
        values = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
        for inner in values:
            if isinstance(inner, Masker):
                yield from parts_of(inner)


def check(condition: bool, parameter: str, message: str, hint: str = "") -> None:
    """Raise `ParameterError` unless `condition` holds; for `__post_init__`."""
    if not condition:
        raise ParameterError(parameter, message, hint)


def per_value(function: Callable[[str], str | None], values: Iterable[str]) -> list[str | None]:
    """The plain form of `mask_distinct` for maskers that have nothing to vectorize."""
    return [function(value) for value in values]
