"""JSON values as values of a column's type: the inverse of `leaves`. What a type cannot hold is a `Misfit`.

A date or time that is only partly known begins where its period does, as `main_date` of our tables has it: a column of
dates has no place for `1987`.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from masking.sources.leaves import is_bytes, is_text

_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_DIGITS = Context(prec=80)
_string = msgspec.json.Decoder(str).decode


class Misfit(ValueError):
    """A value that a column has no place for. Tells no value."""


def text_of(raw: bytes) -> str:
    """What a JSON string says; of anything else, how it is spelled."""
    return _string(raw) if raw[:1] == b'"' else raw.decode()


@functools.cache
def reader_of(type_: pa.DataType, fhir: str) -> Callable[[bytes], Any]:
    """What makes a value of JSON for a column of this type, for `pa.array`. fhir: the primitive's type code, or "".

    The function raises `Misfit`.
    """
    read = _reader(type_, fhir)

    def checked(raw: bytes) -> Any:
        try:
            return read(raw)
        except (ValueError, OverflowError, InvalidOperation, msgspec.DecodeError, binascii.Error):
            raise Misfit("the column has no place for the value") from None

    return checked


def _reader(type_: pa.DataType, fhir: str) -> Callable[[bytes], Any]:
    if pa.types.is_dictionary(type_):
        return _reader(type_.value_type, fhir)
    if is_text(type_):
        return _bytes_reader(fhir) if is_bytes(type_) else text_of
    if pa.types.is_boolean(type_):
        return _boolean
    if pa.types.is_integer(type_):
        return functools.partial(_integer, type_)
    if pa.types.is_floating(type_):
        return lambda raw: float(_number(raw))
    if pa.types.is_decimal(type_):
        return functools.partial(_decimal, type_)
    if pa.types.is_date(type_):
        return lambda raw: _moment(raw).date()
    if pa.types.is_timestamp(type_):
        return functools.partial(_timestamp, type_)
    if pa.types.is_time(type_):
        return lambda raw: dt.time.fromisoformat(_string(raw))
    return _never


def _bytes_reader(fhir: str) -> Callable[[bytes], Any]:
    if fhir == "base64Binary":
        return lambda raw: base64.b64decode(_string(raw), validate=True)
    return lambda raw: text_of(raw).encode()


def _never(raw: bytes) -> Any:
    raise Misfit("nothing is written to such a column")


def _boolean(raw: bytes) -> bool:
    text = text_of(raw)
    if text not in ("true", "false"):
        raise Misfit("no boolean")
    return text == "true"


def _integer(type_: pa.DataType, raw: bytes) -> int:
    number = int(text_of(raw))
    bits = type_.bit_width
    signed = pa.types.is_signed_integer(type_)
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not least <= number <= most:
        raise Misfit("the number is too large")
    return number


def _number(raw: bytes) -> Decimal:
    number = Decimal(text_of(raw))
    if not number.is_finite():
        raise Misfit("no number")
    return number


def _decimal(type_: pa.DataType, raw: bytes) -> Decimal:
    """Rounded to the places that the type has."""
    number = _number(raw).quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_EVEN, _DIGITS)
    if number.adjusted() + 1 + type_.scale > type_.precision and number:
        raise Misfit("the number has too many digits")
    return number


def _moment(raw: bytes) -> dt.datetime:
    text = _string(raw)
    if partial := _PARTIAL.fullmatch(text):
        return dt.datetime(int(partial[1]), int(partial[2] or 1), 1, tzinfo=dt.UTC)
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _timestamp(type_: pa.DataType, raw: bytes) -> dt.datetime:
    """In UTC where the column has no zone, as it was read."""
    found = _moment(raw).astimezone(dt.UTC)
    pa.scalar(found, pa.timestamp(type_.unit, "UTC"))  # a year that nanoseconds do not reach
    return found if type_.tz else found.replace(tzinfo=None)
