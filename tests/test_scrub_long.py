"""Texts that are long, damaged or made to be slow: what they cost grows with their length, and nothing in them hangs a task."""

from __future__ import annotations

import time

import pytest

from masking.scrub import embedded, rtf
from masking.scrub.markup import Kind, scrub_markup
from masking.scrub.scrubber import Scrubber
from masking.scrub.terms import Dossier

NOBODY = Dossier((), 17)


def scrubbed(kind: Kind, text: str) -> None:
    scrub_markup(Scrubber(day_first=False, second=""), kind, [embedded.without_bytes(kind, text) or ""], [NOBODY])


def seconds(kind: Kind, text: str) -> float:
    """The better of two."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        scrubbed(kind, text)
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("plain", "1/3, "),
        ("plain", "1 - "),
        ("plain", "1 and "),
        ("plain", "Jan 1, "),
        ("plain", "data:;a="),
        ("xml", "<SampledData>"),
        ("xml", "a."),
        ("xml", "data:;a="),
        ("rtf", r"\f0 "),
        ("rtf", r"\f0"),
        ("html", "a"),
    ],
)
def test_time_grows_with_the_length(kind: Kind, part: str) -> None:
    """Four times the text takes about four times as long; sixteen times would be a pattern that begins anew at each place."""
    front = {"xml": '<x xmlns="http://hl7.org/fhir"> <', "rtf": r"{\rtf1 ", "html": "<p "}.get(kind, "")
    back = {"rtf": "}", "html": ">"}.get(kind, "")
    scrubbed(kind, front + part * 10 + back)
    short, long = (seconds(kind, front + part * count + back) for count in (2500, 10_000))
    assert long < max(9 * short, 0.5)


@pytest.mark.parametrize(
    "text",
    [
        r"{\rtf1\uc2000000000\u65 ?}",
        r"{\rtf1\uc-5\u65 ?}",
        r"{\rtf1\uc" + "9" * 5000 + "}",
        r"{\bin" + "9" * 5000 + "}",
    ],
)
def test_absurd_numbers_of_rtf_cost_nothing(text: str) -> None:
    start = time.process_time()
    rtf.without_bytes(text)
    assert list(rtf.cut(text))
    assert time.process_time() - start < 2
