"""Numbers that are of nobody known: phones, addresses of machines, ages, what a label stands before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from masking.scrub import ages, dates, references, shapes
from masking.scrub.moving import born, date, loose, several, short

if TYPE_CHECKING:
    from masking.scrub.reader import Reader

_DATE_KINDS = frozenset(("iso", "ymd", "mdy", "my", "ym", "stamp", "eight", "ynd", "dmy"))
_SEPARATORS = frozenset(("s1", "s2", "s3", "s4"))
#: A number with the zero that is dialled within a country: `020 7946 0958`.
_TRUNK = re.compile(r"0[0-9]{2,4}([ -])[0-9]{3,4}(?:\1[0-9]{3,4}|[0-9]{3})(?![0-9A-Za-z]|[.,-][0-9])")
_ISO = re.compile(r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}(?![0-9]|-[0-9])")


def number(reader: Reader, start: int) -> None:
    """What begins at a number."""
    text = reader.text
    if start and text[start - 1] == "+":
        end = shapes.international(text, start)
        if end:
            reader.put(start - 1, end, "phone", None)
            return
    elif _is_inside(text, start):
        # Its beginning was looked at; but a UUID is one wherever it stands: `Patient/9b1d…`.
        shape = shapes.AT_HEX.match(text, start)
        if shape and shape["uuid"]:
            _address(reader, "uuid", shape)
        return
    if start > 7 and text[start - 1] == ":" and references.oid(reader, start):
        return
    shape = shapes.AT_NUMBER.match(text, start)
    if (shape is None or shape.lastgroup in ("bare", "my")) and _age(reader, start):
        return
    if shape is None:
        trunk = _TRUNK.match(text, start)
        if trunk:
            reader.put(*trunk.span(), "phone", None)
            return
        if references.hexed(reader, start):
            return
        if born(reader, start) or several(reader, start) or loose(reader, start):
            return
        brief = dates.SHORT.match(text, start)
        if brief:
            short(reader, brief)
        return
    kind = shape.lastgroup
    if kind in _SEPARATORS:
        kind = next(
            name
            for name, value in shape.groupdict().items()
            if (value and len(name) > 2) or (value and name in ("my", "ip"))
        )
    if kind == "iso" and text[shape.end() : shape.end() + 1] in ("/", "T") and several(reader, start):
        return
    _shaped(reader, str(kind), shape)


def _age(reader: Reader, start: int) -> bool:
    span = ages.at(reader.text, start)
    if span is not None:
        reader.put(*span, "age", "90+")
    return span is not None


def _is_inside(text: str, start: int) -> bool:
    """Whether a number goes on here, or a code: its beginning was looked at."""
    before = text[start - 1] if start > 1 else " "
    if before == "/" and _ISO.match(text, start):
        return False  # the end of a period
    return before in ".-/:" and text[start - 2].isalnum() and (before != ":" or text[start - 2].isdigit())


def _shaped(reader: Reader, kind: str, shape: re.Match[str]) -> None:
    start, stop = shape.span()
    if kind in _DATE_KINDS:
        date(reader, kind, shape)
    elif kind == "phone":
        _phone(reader, start, stop)
    elif kind == "local":
        if shapes.is_local_phone(reader.text, start):
            reader.put(start, stop, "phone", None)
    elif kind == "zip":
        if stop - start == 10 or shapes.is_zip(reader.text, start):
            reader.put(start, stop, "zip", None)
    elif kind == "age":
        reader.put(start, stop, "age", "90+")
    elif kind == "ssn":
        reader.put(start, stop, "ssn", None)
    elif kind != "bare":
        _address(reader, kind, shape)


def _phone(reader: Reader, start: int, stop: int) -> None:
    text, spelled = reader.text, reader.text[start:stop]
    if spelled.isdigit() and shapes.is_number_of_code(text, start):
        return
    if ")" in spelled and "(" not in spelled:
        if text[start - 1 : start] != "(":
            return
        start -= 1
    reader.put(start, stop, "phone", None)


def _address(reader: Reader, kind: str, shape: re.Match[str]) -> None:
    if kind in ("ip", "ip6", "vin") and not shapes.is_address(kind, shape[kind]):
        return
    reader.put(*shape.span(), "ip" if kind == "ip6" else kind, None)


def hexed(reader: Reader, start: int) -> None:
    """What begins with letters that are hexadecimal digits."""
    shape = shapes.AT_HEX.match(reader.text, start)
    if shape:
        _address(reader, "mac" if shape["mac"] else "uuid" if shape["uuid"] else "ip6", shape)


def spelled_age(reader: Reader, start: int) -> None:
    """`ninety-two years old`, `aged ninety-two`."""
    aged = shapes.SPELLED_AGE.match(reader.text, start)
    if aged is None and shapes.is_age(reader.text, start):
        aged = ages.SPELLED.match(reader.text, start)
    if aged:
        reader.put(start, aged.end(), "age", "90+")


def label(reader: Reader, place: int, start: int, stop: int) -> None:
    """The number behind a label."""
    labelled = shapes.label_value(reader.text, start, stop)
    if labelled is None:
        return
    begin, end, kind = labelled
    for later in range(place + 1, reader.stop):
        if reader.starts[later] >= end:
            break
        if reader.codes[later] >= 0 and reader.starts[later] >= begin:
            return  # known: its own fake takes its place
    reader.put(begin, end, kind, None)
