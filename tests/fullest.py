"""Valid resources of any type made of R4's tables, plainly: the least that the type may say, and all that it can."""

from __future__ import annotations

from collections.abc import Iterator

from masking.fhir.elements import Element, children, choices, json_kind

#: A choice of more types than this has no columns for complex ones.
_OPEN = 20
_TEXTS = {
    "base64Binary": "QQ==",
    "date": "2019-07-03",
    "dateTime": "2019-07-03T10:00:00+02:00",
    "instant": "2019-07-03T10:00:00.5Z",
    "time": "10:00:00",
    "id": "an-id.1",
    "code": "a-code",
    "oid": "urn:oid:1.2.3",
    "uuid": "urn:uuid:6d75c0ee-3f5b-4b8d-9c33-0123456789ab",
    "uri": "http://example.org/it's",
    "url": "http://example.org/",
    "canonical": "http://example.org/c|1",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">ü</div>',
}


def least(resource_type: str) -> dict:
    """Only what R4 requires."""
    return {"resourceType": resource_type, **_object(resource_type, (resource_type,), 0, full=False)}


def fullest(resource_type: str) -> list[dict]:
    """Documents that together have every element, but for what is nested in itself; each of a choice in one of them."""
    made: list[dict] = []
    for turn in range(_turns(resource_type, (resource_type,))):
        document = {"resourceType": resource_type, **_object(resource_type, (resource_type,), turn, full=True)}
        if document not in made:
            made.append(document)
    return made


def _turns(content: str, opened: tuple[str, ...]) -> int:
    """How many documents it takes: those of the longest way down, choices by choices."""
    found = [1]
    for element in children(content).values():
        of_choice = len(choices(content, element.choice)) if element.choice else 1
        inner = element.content
        is_simple = inner in (None, "Resource", "Extension") or inner in opened or of_choice > _OPEN
        found.append(of_choice if is_simple or inner is None else of_choice * _turns(inner, (*opened, inner)))
    return max(found)


def _object(content: str, opened: tuple[str, ...], turn: int, *, full: bool) -> dict:
    return {
        element.name: [value] * (2 if full else 1) if element.is_array else value
        for element, left in _chosen(content, turn)
        if (full or element.min) and (value := _value(element, opened, left, full=full)) is not None
    }


def _chosen(content: str, turn: int) -> Iterator[tuple[Element, int]]:
    """The elements of an object, of each choice the one whose turn it is; with the turn for what is in them."""
    for element in children(content).values():
        if element.choice is None:
            yield element, turn
        else:
            group = choices(content, element.choice)
            if element == group[turn % len(group)]:
                yield element, turn // len(group)


def _value(element: Element, opened: tuple[str, ...], turn: int, *, full: bool) -> object:
    if element.is_primitive:
        kind = json_kind(element.type)
        return {"boolean": True, "number": 1.25 if element.type == "decimal" else 2}.get(kind) or _TEXTS.get(
            element.type, 'ü "quoted"'
        )
    if element.content == "Resource":
        return {"resourceType": "Basic", "code": {"text": "b"}}
    if element.content == "Extension":
        return {"url": "http://example.org/e", "valueString": "x"}
    assert element.content is not None
    if element.content in opened:
        full = False  # what is nested in itself is nested once more, and says the least
        if opened.count(element.content) > 1 and not element.min:
            return None
    return _object(element.content, (*opened, element.content), turn, full=full) or {"id": "e"}
