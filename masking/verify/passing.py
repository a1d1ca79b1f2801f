"""What lets single leaves of a pair pass, and remembers which did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from masking.fhir.elements import Element
from masking.verify import valid
from masking.verify.collect import name_of
from masking.verify.cut import ANY, ID, STRING, URI
from masking.verify.leads import Link, decode
from masking.verify.shapes import Text, plain

_GOOD = 500  # spellings that a check remembers
_LED = 5_000  # pairs of references that one place remembers

_KINDS = {"string": STRING, "markdown": STRING, "uri": URI, "url": URI, "canonical": URI, "id": ID}

#: The number of a leaf, or None for what is not there.
At = int | None


class Judge:
    """Whether texts are valid at an element. is_target: as a reference's, by the type that it names."""

    __slots__ = ("_element", "_good", "_is_number", "_is_target", "_matches", "kind")

    def __init__(self, element: Element, is_number: bool, is_target: bool) -> None:
        self._element, self._is_number, self._is_target = element, is_number, is_target
        is_text = not is_number and not is_target
        self._matches = valid.matching(element) if is_text else None
        #: As `masking.verify.cut` has them.
        self.kind = _KINDS.get(element.type, ANY) if is_text and self._matches is not None else ANY
        self._good: set[bytes] = set()

    def passes(self, spelled: bytes) -> bool:
        """Whether one is, as it is spelled."""
        if spelled in self._good:
            return True
        if self._is_number:
            is_good = not valid.of_primitive(self._element, decode(spelled))
        elif self._is_target:
            is_good = valid.may_lead_to(self._element, plain(spelled))
        elif self._matches is not None:
            is_good = self._matches(plain(spelled)) is not None
        else:
            is_good = not valid.of_primitive(self._element, plain(spelled))
        if is_good and len(self._good) < _GOOD:
            self._good.add(spelled)
        return is_good


class Check(NamedTuple):
    """That a masked leaf is valid. before: the leaf that it was; what is still the same needs no check."""

    judge: Judge
    before: At
    after: int


class Added:
    """That masked leaves which nothing was before are valid: neighbours, which are looked at together."""

    __slots__ = ("_checks", "_first", "_good", "_last")

    def __init__(self, checks: list[Check]) -> None:
        self._checks = checks
        self._first, self._last = checks[0].after, checks[-1].after
        self._good: set[bytes] = set()  # all from the first to the last, as it is spelled

    def pass_in(self, masked: Text) -> bool:
        """Whether they are."""
        spelled = masked.spelled(self._first, self._last)
        if spelled in self._good:
            return True
        is_good = all(check.judge.passes(masked.spelled(check.after, check.after)) for check in self._checks)
        if is_good and len(self._good) < _GOOD:
            self._good.add(spelled)
        return is_good


class Leading(dict[tuple[bytes, bytes], "tuple[Link, ...] | None"]):
    """What references at one path were and are, given both as they are spelled; None where one is not valid as it is."""

    __slots__ = ("_path", "checks")

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.checks: list[Judge] = []

    def __missing__(self, pair: tuple[bytes, bytes]) -> tuple[Link, ...] | None:
        before, after = pair
        if before != after and not all(judge.passes(after) for judge in self.checks):
            return None
        name = name_of(plain(before))
        found = (Link(self._path, name, name_of(plain(after))),) if name else ()
        if len(self) > _LED:
            self.clear()
        self[pair] = found
        return found


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a resource: `Type/id`, or `Type?identifier=system|value`. before, after: leaves of system and value."""

    path: str
    start: str  # of the name
    before: tuple[At, At]
    after: tuple[At, At]

    def link(self, source: Text, masked: Text) -> Link:
        """What it was and is."""
        return Link(self.path, self._name(source, self.before), self._name(masked, self.after))

    def _name(self, text: Text, at: tuple[At, At]) -> str:
        system, value = at
        if self.path.endswith(".id"):
            return "" if value is None else self.start + text.leaf(value)
        return f"{self.start}{'' if system is None else text.leaf(system)}|{'' if value is None else text.leaf(value)}"
