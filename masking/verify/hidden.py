"""What texts hide: base64, HTML and percent-encoding are undone, layer by layer, up to three.

One compiled pass finds the JSON strings that may hide something; only those are taken apart.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import numpy as np

from masking.native import Bytes, Ints, bytes_of, compiled

_BASE64, _HTML, _PERCENT = 1, 2, 4
_LEAST = 24  # characters of base64 that are taken for such within a text
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % _LEAST)
_TAG = re.compile(r"<[^<>]{0,2000}>")
#: Tags that may stand within a word; all others part words.
_INLINE = re.compile(
    r"</?(?:a|abbr|acronym|b|big|cite|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u|wbr)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_LAYERS = 3
#: Of what base64 holds, so many letters tell whether it is a text; white space of texts is printable.
_HEAD, _SPACES = 2000, "\n\r\t\f"
_ODD = bytes(code for code in range(256) if chr(code) not in _SPACES and not chr(code).isprintable())
_MEMORY = 20_000
_UNICODE = re.compile(rb"\\u([0-9A-Fa-f]{4})")
_SIMPLE = {b"\\n": b"\n", b"\\t": b"\t", b"\\r": b"\r", b'\\"': b'"', b"\\/": b"/", b"\\\\": b"\\"}
_SIMPLE_ESCAPE = re.compile(rb'\\[ntr"/\\]')


@compiled
def _spots(text: Bytes, starts: Ints, stops: Ints, kinds: Ints) -> int:
    """Strings that may hide something: where they begin and end, and what; how many, -1 where there is no room."""
    count, begun, seen, run, upper, lower = 0, 0, 0, 0, False, False
    at, size = 0, len(text)
    while at < size:
        byte = text[at]
        if byte == 34 or byte == 10:
            if seen:
                if count == len(starts):
                    return -1
                starts[count], stops[count], kinds[count] = begun, at, seen
                count += 1
            begun, seen, run, upper, lower = at + 1, 0, 0, False, False
        elif 97 <= byte <= 122:
            run, lower = run + 1, True
        elif 65 <= byte <= 90:
            run, upper = run + 1, True
        elif 48 <= byte <= 57 or byte == 43 or byte == 47 or byte == 45 or byte == 95:
            run += 1
        else:
            run, upper, lower = 0, False, False
            if byte == 92:
                if at + 5 < size and text[at + 1] == 117 and text[at + 2] == 48 and text[at + 3] == 48:
                    # < and & as JSON may escape them
                    if (text[at + 4] == 51 and (text[at + 5] | 32) == 99) or (
                        text[at + 4] == 50 and text[at + 5] == 54
                    ):
                        seen |= 2
                at += 1
            elif byte == 38 or byte == 60:
                seen |= 2
            elif byte == 37:
                seen |= 4
        if run >= 24 and upper and lower:
            seen |= 1
        at += 1
    if seen and count < len(starts):
        starts[count], stops[count], kinds[count] = begun, at, seen
        count += 1
    return count


class Opener:
    """Undoes what hides texts; what repeats is opened once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bool], tuple[bytes, ...]] = {}

    def strings(self, text: bytes, *, is_json: bool = True) -> Iterator[tuple[int, tuple[bytes, ...]]]:
        """Where in `text` a string with hidden texts begins, and those texts."""
        size = max(64, len(text) // 32)
        while True:
            starts, stops, kinds = (np.zeros(size, dtype=np.int32) for _ in range(3))
            count = _spots(bytes_of(text), starts, stops, kinds)
            if count >= 0:
                break
            size *= 4
        for start, stop in zip(starts[:count].tolist(), stops[:count].tolist(), strict=True):
            found = self._open(text[start:stop], is_json)
            if found:
                yield start, found

    def _open(self, string: bytes, is_json: bool) -> tuple[bytes, ...]:
        key = (string, is_json)
        found = self._known.get(key)
        if found is None:
            found = tuple(dict.fromkeys(undone(plain(string) if is_json else string)))
            if len(self._known) > _MEMORY:
                self._known.clear()
            if len(string) < 4096:
                self._known[key] = found
        return found


def plain(string: bytes) -> bytes:
    """The inside of a JSON string with its escapes undone; total, for it may be no JSON."""
    if b"\\" not in string:
        return string
    string = _SIMPLE_ESCAPE.sub(lambda found: _SIMPLE[found[0]], string)
    return _UNICODE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "surrogatepass"), string)


def undone(text: bytes, layers: int = _LAYERS) -> Iterator[bytes]:
    """The texts that a text hides, and those that they hide."""
    if not layers:
        return
    found: list[bytes] = []
    for run in _RUN.findall(text):
        inner = from_base64(run)
        if inner:
            found.append(inner)
    if _ESCAPE.search(text):
        found.append(unquote_to_bytes(text))
    if b"<" in text or b"&" in text:
        readable = text.decode("utf-8", "replace")
        bare = html.unescape(_TAG.sub(" ", readable))
        joined = html.unescape(_TAG.sub(" ", _INLINE.sub("", readable)))  # <b>Jo</b>hn
        found += [one.encode("utf-8", "surrogatepass") for one in dict.fromkeys((bare, joined)) if one != readable]
    for inner in found:
        if inner != text:
            yield inner
            yield from undone(inner, layers - 1)


def from_base64(run: bytes) -> bytes:
    """The text, as UTF-8, that base64 of either alphabet holds; empty where it is none."""
    run = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        content = base64.b64decode(run + b"=" * (-len(run) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return as_text(content)


def as_text(content: bytes) -> bytes:
    """Bytes as UTF-8, if they are a text in UTF-8, UTF-16 or Latin-1; empty otherwise."""
    if not content:
        return b""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content.count(b"\0") > len(content) // 3:
        order = (
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-be" if content[0] == 0 else "utf-16-le"
        )
        text = content.decode(order, "replace")
    else:
        text = content.decode("utf-8", "replace")
        if "\ufffd" in text:  # mostly a token that happens to be base64
            first = content[:_HEAD]
            if (len(first) - len(first.translate(None, _ODD))) * 20 > len(first):
                return b""
            return content.decode("latin-1").encode()
    head = text[:_HEAD]
    if head.isascii():
        odd = len(head) - len(head.encode().translate(None, _ODD))
    else:
        odd = sum(not (letter.isprintable() or letter in _SPACES) for letter in head)
    return text.encode("utf-8", "surrogatepass") if odd * 20 <= min(len(text), _HEAD) else b""
