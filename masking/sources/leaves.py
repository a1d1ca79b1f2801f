"""Columns of primitives as JSON texts, a whole array at a time; null where there is no value.

Text stays text. Dates and timestamps become FHIR's text, decimals are spelled with all digits of their type, doubles as
short as they can be. Where FHIR has an object or an array and a table has text, it is JSON already and stays as it is.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from masking.fhir.elements import json_kind
from masking.sources.content import Unsupported

_NEEDS_ESCAPES = r'["\\\x00-\x1f]'
_ESCAPED = np.zeros(256, np.bool_)
_ESCAPED[[*range(0x20), ord('"'), ord("\\")]] = True
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def leaf_texts(array: pa.Array, type_: str) -> pa.StringArray:
    """JSON texts of values; `type_` is FHIR's type code of a primitive, "" where FHIR knows nothing of the column."""
    given = array.type
    if pa.types.is_null(given):
        return pa.nulls(len(array), pa.string())
    if is_text(given):
        return _texts(array, type_)
    if pa.types.is_boolean(given):
        return array.cast(pa.string())
    kind = json_kind(type_) if type_ else ""
    if pa.types.is_integer(given) or pa.types.is_floating(given) or pa.types.is_decimal(given):
        spelled = _numbers(array)
        return _quoted(spelled) if kind == "string" else spelled
    return _quoted(_moments(array, type_))


def is_text(type_: pa.DataType) -> bool:
    """Whether values of a type are texts, or bytes that may be."""
    if pa.types.is_dictionary(type_):
        return is_text(type_.value_type)
    tests = ("is_string", "is_large_string", "is_binary", "is_large_binary", "is_string_view", "is_binary_view")
    return any(test(type_) for name in tests if (test := getattr(pa.types, name, None)) is not None)


def is_bytes(type_: pa.DataType) -> bool:
    """Whether values of a type are bytes."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(type_) for test in tests)


def json_texts(array: pa.Array) -> pa.StringArray:
    """Texts that are an object or an array of JSON as they are; any other as a JSON string."""
    found = plain_texts(array)
    return pc.if_else(_wholes(found, r"^\s*[{\[]"), found, _quoted(found))


def item_texts(array: pa.Array, item: Callable[[pa.Array], pa.StringArray]) -> pa.StringArray:
    """Values where FHIR has an array: of one item, unless the text is an array of JSON already."""
    wrapped = around("[", item(array), "]")
    if not is_text(array.type):
        return wrapped
    found = plain_texts(array)
    whole = _wholes(found, r"^\s*\[")
    return pc.if_else(whole, found, wrapped) if pc.any(whole).as_py() else wrapped


def _wholes(texts: pa.StringArray, begins: str) -> pa.BooleanArray:
    """Which texts are one value of JSON that begins so. What ends earlier than its text would be more than one element."""
    found = pc.fill_null(pc.match_substring_regex(texts, begins), False).to_numpy(zero_copy_only=False).copy()
    for place in np.flatnonzero(found).tolist():
        found[place] = _is_json(texts[place].as_py())
    return pa.array(found)


def plain_texts(array: pa.Array) -> pa.StringArray:
    """Texts as they are; bytes that are no UTF-8 in Base64."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_as_text(value) for value in array.cast(pa.large_binary()).to_pylist()], pa.string())


def around(before: str, texts: pa.StringArray, behind: str = "") -> pa.StringArray:
    """Texts with others before and behind each that is there."""
    return pc.binary_join_element_wise(before, texts, behind, "")


def scaled(numbers: pa.Array, scales: pa.Array) -> pa.StringArray:
    """Decimals with as many places as each had once, where the type has no fewer."""
    pairs = pc.binary_join_element_wise(_numbers(numbers), pc.coalesce(scales.cast(pa.string()), ""), " ")
    encoded = pairs.dictionary_encode()
    spelled = pa.array([_with_scale(pair) for pair in encoded.dictionary.to_pylist()], pa.string())
    return spelled.take(encoded.indices)


def _texts(array: pa.Array, type_: str) -> pa.StringArray:
    kind = json_kind(type_) if type_ else "string"
    if type_ == "base64Binary" and is_bytes(array.type):
        values = array.to_pylist()
        return pa.array([None if v is None else f'"{base64.b64encode(v).decode()}"' for v in values], pa.string())
    found = plain_texts(array)
    if kind == "string":
        return _quoted(found)
    bare = pc.match_substring_regex(found, _NUMBER if kind == "number" else "^(true|false)$")
    return pc.if_else(bare, found, _quoted(found))


def _quoted(texts: pa.StringArray) -> pa.StringArray:
    """Texts as JSON strings."""
    simple = around('"', texts, '"')
    if not _any_to_escape(texts):
        return simple
    odd = pc.fill_null(pc.match_substring_regex(texts, _NEEDS_ESCAPES), False)
    escaped = pa.array([_encode(text).decode() for text in texts.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(simple, odd, escaped)


def _any_to_escape(texts: pa.StringArray) -> bool:
    """Whether one of the bytes of all texts stands behind a backslash in JSON: quicker than to ask each text."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return False
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return bool(_ESCAPED[np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]].any())


def _numbers(array: pa.Array) -> pa.StringArray:
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, array.type))
        return (array.cast(pa.float32()) if pa.types.is_float16(array.type) else array).cast(pa.string())
    spelled = array.cast(pa.string())
    if pa.types.is_decimal(array.type):
        odd = pc.fill_null(pc.match_substring(spelled, "E"), False)
        if pc.any(odd).as_py():
            plain = pa.array([format(Decimal(text), "f") for text in spelled.filter(odd).to_pylist()], pa.string())
            return pc.replace_with_mask(spelled, odd, plain)
    return spelled


def _moments(array: pa.Array, type_: str) -> pa.StringArray:
    """Dates and times as FHIR spells them. A timestamp without a zone is taken for UTC, as Spark and Pathling write it."""
    given = array.type
    if pa.types.is_timestamp(given):
        known = array.cast(pa.timestamp(given.unit, "UTC")) if given.tz else pc.assume_timezone(array, "UTC")
        text = known.cast(pa.string())
        if type_ == "date":
            return pc.utf8_slice_codeunits(text, 0, 10)
        return _short(pc.replace_substring(text, " ", "T"))
    if pa.types.is_date(given):
        return pc.utf8_slice_codeunits(array.cast(pa.date32()).cast(pa.string()), 0, 10)
    if pa.types.is_time(given):
        return _short(array.cast(pa.string()))
    kind = str(given).partition("<")[0]  # within, fields may be called anything
    raise Unsupported(f"it has a column of the type {kind}, which FHIR has no spelling for")


def _short(times: pa.StringArray) -> pa.StringArray:
    """Times without zeros at the end of a fraction."""
    shorter = pc.replace_substring_regex(times, r"(\.[0-9]*[1-9])0+(Z?)$", r"\1\2")
    return pc.replace_substring_regex(shorter, r"\.0+(Z?)$", r"\1")


def _with_scale(pair: str | None) -> str | None:
    if pair is None:
        return None
    number, _, scale = pair.partition(" ")
    whole, point, places = number.partition(".")
    if not scale or not point or not 0 <= int(scale) < len(places):
        return number
    kept = places[: int(scale)]
    return f"{whole}.{kept}" if kept else whole


def _is_json(text: str) -> bool:
    try:
        _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _as_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
