"""Faults that a drill makes, each with the check that must tell of it: in a document, or among the lines of a type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from masking.fhir.codes import codes
from masking.fhir.elements import children, element
from masking.verify.drill.edit import Document, Number, change_one
from masking.verify.tree import AGE, KEEP, SHIFT

#: What a policy does at each path.
Actions = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InDocument:
    """A fault in a document. make: given the masked document, its source and what the policy does; whether it could."""

    name: str
    check: str
    make: Callable[[Document, Document, Actions], bool]


@dataclass(frozen=True, slots=True)
class AmongLines:
    """A fault among the masked lines of one type. make: the lines as they become; None where they do not lend themselves.

    told: whether the manifest says what the files are now, as it would after a fault of the program's.
    """

    name: str
    check: str
    make: Callable[[Sequence[bytes]], list[bytes] | None]
    told: bool = True


# ── links ──


def _broken_reference(document: Document, source: Document, actions: Actions) -> bool:
    for child in children(document.kind).values():
        there = document.get(child.name)
        if child.type == "Reference" and isinstance(there, dict) and isinstance(to := there.get("reference"), str):
            kind, _, own = to.rpartition("/")
            if kind == "Patient" and own:
                document.put(child.name, {**there, "reference": f"{kind}/00000000-0000-4000-8000-000000000000"})
                return True
    return False


# ── what stays ──


def _wrong_code(document: Document, source: Document, actions: Actions) -> bool:
    return _changed(document, source, actions, lambda path, kind, value: "wrong" if kind == "code" else None)


def _other_number(document: Document, source: Document, actions: Actions) -> bool:
    return _changed(document, source, actions, _of_decimal(lambda value: "7" + value))


def _other_spelling(document: Document, source: Document, actions: Actions) -> bool:
    return _changed(document, source, actions, _of_decimal(lambda value: f"{value}0" if "." in value else f"{value}.0"))


def _of_decimal(spell: Callable[[str], str]) -> Callable[[str, str, object], Number | None]:
    def change(path: str, kind: str, value: object) -> Number | None:
        if kind != "decimal" or not isinstance(value, Number) or "e" in value.lower() or value[0] == "-":
            return None
        return Number(spell(value))

    return change


def _changed(
    document: Document, source: Document, actions: Actions, change: Callable[[str, str, object], object]
) -> bool:
    return bool(
        change_one(document, lambda path, kind, value: change(path, kind, value) if actions.get(path) == KEEP else None)
    )


def _gone(document: Document, source: Document, actions: Actions) -> bool:
    for child in children(document.kind).values():
        is_kept = actions.get(f"{document.kind}.{child.name}") == KEEP and not child.min
        if child.is_primitive and is_kept and document.get(child.name) is not None:
            document.put(child.name, None)
            return True
    return False


def _other_order(document: Document, source: Document, actions: Actions) -> bool:
    document.reverse()
    return len(set(document.names()) & set(source.names()) - {"resourceType"}) > 1


# ── dates ──


def _moved_otherwise(document: Document, source: Document, actions: Actions) -> bool:
    return bool(change_one(document, lambda path, kind, value: _next(value) if actions.get(path) == SHIFT else None))


def _not_moved(document: Document, source: Document, actions: Actions) -> bool:
    for name in source.names():
        value = source.get(name)
        if actions.get(f"{source.kind}.{name}") == SHIFT and isinstance(value, str) and len(value) >= 10:
            document.take(source, name)
            return True
    return False


def _other_age(document: Document, source: Document, actions: Actions) -> bool:
    def older(path: str, kind: str, value: object) -> str | None:
        if actions.get(path) != AGE or not isinstance(value, str) or not value[:4].isdecimal():
            return None
        return f"{int(value[:4]) - 2:04d}{value[4:]}"

    return bool(change_one(document, older))


def _next(value: object) -> str | None:
    """The day after."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        day = dt.date.fromisoformat(value[:10]) + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return day.isoformat() + value[10:]


# ── valid ──


def _without_required(document: Document, source: Document, actions: Actions) -> bool:
    for child in children(document.kind).values():
        if child.min and child.choice is None and document.get(child.name) is not None:
            document.put(child.name, None)
            return True
    return False


def _unlisted_code(document: Document, source: Document, actions: Actions) -> bool:
    def unlisted(path: str, kind: str, value: object) -> str | None:
        found = element(path) if kind == "code" else None
        closed = found is not None and found.binding == "required" and found.value_set and codes(found.value_set)
        return "unlisted" if closed else None

    return bool(change_one(document, unlisted))


def _odd_id(document: Document, source: Document, actions: Actions) -> bool:
    document.put("id", "not an id!")
    return source.get("id") is not None


def _unknown_element(document: Document, source: Document, actions: Actions) -> bool:
    document.put("nonsense", Number("1"))
    return True


def _empty_text(document: Document, source: Document, actions: Actions) -> bool:
    document.put("language", "")
    return True


def _array_for_one(document: Document, source: Document, actions: Actions) -> bool:
    for child in children(document.kind).values():
        there = document.get(child.name)
        if not child.is_array and there is not None and not isinstance(there, list) and child.name != "id":
            document.put(child.name, [there])
            return True
    return False


def _wrong_target(document: Document, source: Document, actions: Actions) -> bool:
    for child in children(document.kind).values():
        there = document.get(child.name)
        if child.type == "Reference" and isinstance(there, dict) and not child.may_point_at("Binary"):
            document.put(child.name, {**there, "reference": "Binary/1"})
            return True
    return False


def _no_narrative(document: Document, source: Document, actions: Actions) -> bool:
    document.put("text", {"status": "generated", "div": "<p>no div</p>"})
    return "text" in children(document.kind)


IN_DOCUMENTS = (
    InDocument("a reference that leads nowhere", "links", _broken_reference),
    InDocument("a wrong code", "kept", _wrong_code),
    InDocument("another number", "kept", _other_number),
    InDocument("a number spelled otherwise", "kept", _other_spelling),
    InDocument("a kept value that is gone", "kept", _gone),
    InDocument("names in another order", "kept", _other_order),
    InDocument("a date that moved by another day", "dates", _moved_otherwise),
    InDocument("a date that did not move", "dates", _not_moved),
    InDocument("a birth date of another age", "dates", _other_age),
    InDocument("a required element that is gone", "valid", _without_required),
    InDocument("a code that its value set does not have", "valid", _unlisted_code),
    InDocument("an id that is none", "valid", _odd_id),
    InDocument("an element that R4 does not have", "valid", _unknown_element),
    InDocument("an empty text", "valid", _empty_text),
    InDocument("an array where one value belongs", "valid", _array_for_one),
    InDocument("a reference to a type that may not stand there", "valid", _wrong_target),
    InDocument("a narrative without its div", "valid", _no_narrative),
)


# ── lines ──


def _dropped(lines: Sequence[bytes]) -> list[bytes] | None:
    return list(lines[:-1]) if len(lines) > 1 else None


def _doubled(lines: Sequence[bytes]) -> list[bytes] | None:
    return [*lines, lines[-1]] if lines else None


def _swapped(lines: Sequence[bytes]) -> list[bytes] | None:
    return [lines[1], lines[0], *lines[2:]] if len(lines) > 1 else None


def _same_id(lines: Sequence[bytes]) -> list[bytes] | None:
    if len(lines) < 2:
        return None
    first, second = Document(lines[0]), Document(lines[1])
    if first.get("id") is None or second.get("id") is None:
        return None
    second.take(first, "id")
    return [lines[0], second.as_bytes(), *lines[2:]]


def _other_bytes(lines: Sequence[bytes]) -> list[bytes] | None:
    return [b" " + lines[0], *lines[1:]] if lines else None


AMONG_LINES = (
    AmongLines("a line that is gone", "files", _dropped, told=False),
    AmongLines("a line that is gone, and the manifest agrees", "counts", _dropped),
    AmongLines("a line that is there twice, and the manifest agrees", "counts", _doubled),
    AmongLines("a blank more", "files", _other_bytes, told=False),
    AmongLines("two people swapped", "links", _swapped),
    AmongLines("two resources with one id", "links", _same_id),
)
