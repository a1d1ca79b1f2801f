"""Answers in native memory: what is told apart, what is forgotten, what grows."""

from __future__ import annotations

import numpy as np
import pytest

from masking.document import memory
from masking.document.memory import BESIDE, FIELD, IN_TEXT, NULL, Memory, give, size_of
from masking.document.settle import ANSWER
from masking.native import bytes_of

Key = tuple[bytes | None, ...]


def asked(known: Memory, keys: list[Key], where: int = IN_TEXT) -> tuple[list[int], list[int]]:
    """The places of keys, and which are new."""
    fields = np.zeros(sum(map(len, keys)), FIELD)
    text, at = b"", 0
    for part in (part for key in keys for part in key):
        fields[at] = (NULL, 0, 0) if part is None else (where, len(text), len(text) + len(part))
        text, at = text + (part or b""), at + 1
    there, nothing = bytes_of(text + b"\0"), bytes_of(b"\0")
    places = known.look_up(*((there, nothing) if where == IN_TEXT else (nothing, there)), fields, len(keys[0]))
    return places[0].tolist(), places[1].tolist()


def told(known: Memory, places: list[int]) -> list[bytes | None]:
    """The answers at places."""
    found, jobs = np.array(places, np.int32), np.arange(len(places), dtype=np.int32)
    spans = np.zeros(len(places), ANSWER)
    spans["stop"] = -1
    out = np.empty(size_of(known.slots, found), np.uint8)
    give(known.slots, found, known.answers, jobs, spans, 7, out)
    return [None if stop < 0 else out[start - 7 : stop - 7].tobytes() for start, stop, _ in spans.tolist()]


def learned(known: Memory, keys: list[Key]) -> None:
    places, new = asked(known, keys)
    known.learn(np.array(places, np.int32)[new], [b"<" + (keys[row][0] or b"") + b">" for row in new], None)


def test_equal_keys_have_one_place_and_are_asked_for_once() -> None:
    known = Memory()
    places, new = asked(known, [(b"a", b"x"), (b"b", b"x"), (b"a", b"x")])
    assert places[0] == places[2] != places[1]
    assert new == [0, 1]
    known.learn(np.array(places[:2], np.int32), [b"one", None], [True, False])
    again, nothing_new = asked(known, [(b"b", b"x"), (b"a", b"x")])
    assert nothing_new == []
    assert told(known, again) == [None, b"one"]
    assert known.slots["blanks"][again].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((b"ab", b"c"), (b"a", b"bc")),
        ((b"", None), (None, b"")),
        ((b"", b""), (b"", None)),
        ((b"a", b"\0"), (b"a", b"")),
        ((b"1", b"x"), (b"1", b"X")),
    ],
)
def test_keys_that_differ_anywhere_are_told_apart(one: Key, other: Key) -> None:
    places, new = asked(Memory(), [one, other])
    assert places[0] != places[1]
    assert new == [0, 1]


def test_keys_are_compared_where_their_hashes_are_equal() -> None:
    known = Memory()
    learned(known, [(b"a",)])
    place = asked(known, [(b"a",)])[0]
    # As if another key had the very hash of this one.
    known._keys[5] = ord("b")
    other, new = asked(known, [(b"a",)])
    assert new == [0]
    assert other != place


def test_where_a_field_stands_is_part_of_the_key_that_it_is_in() -> None:
    known = Memory()
    assert asked(known, [(b"a",)], IN_TEXT)[1] == asked(known, [(b"a",)], BESIDE)[1] == [0]


def test_it_grows_and_keeps_what_it_knows() -> None:
    known = Memory()
    keys: list[Key] = [(str(number).encode(),) for number in range(5_000)]
    for start in range(0, len(keys), 700):
        learned(known, keys[start : start + 700])
    places, new = asked(known, keys)
    assert new == []
    assert told(known, places) == [b"<" + (key[0] or b"") + b">" for key in keys]


def test_it_forgets_when_it_holds_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST", 10)
    known = Memory()
    learned(known, [(str(number).encode(),) for number in range(11)])
    assert asked(known, [(b"3",)])[1] == [0]
    assert len(asked(known, [(b"4",)])[1]) == 1
