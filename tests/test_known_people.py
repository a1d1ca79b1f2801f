"""Maskers that ask for people: what they make of values about somebody whom the run knows."""

import pickle

import pytest

import masking.maskers  # noqa: F401
from masking.identity.facts import Facts, Name
from masking.keys import hmac_parts
from masking.maskers.base import BoundMasker
from masking.maskers.combine import Chain, OneOfBy
from masking.maskers.displays import ByReferent
from masking.maskers.generic import Keep
from masking.maskers.identifiers import Hash
from masking.maskers.notes import Scrub
from masking.maskers.people import FullName
from masking.maskers.text import RedactText

JOE = Facts(key="p1", resource_type="Patient", sexes=("male",), names=(Name(family="Smith", given=("Joe", "Quincy")),))
HOSPITAL = Facts(key="o1", resource_type="Organization", names=(Name(text="General Hospital"),))


class Keys:
    def subkey(self, purpose: str) -> bytes:
        return hmac_parts(b"test", purpose.encode())


class Known:
    """Joe and a hospital."""

    def facts(self, who: str) -> Facts | None:
        return {"Patient/p1": JOE, "p1": JOE, "Organization/o1": HOSPITAL, "/o1": HOSPITAL}.get(who)

    def canonical(self, who: str) -> str:
        return who


DISPLAY = ByReferent(person=FullName(), place=Hash(length=16), default=RedactText())


def persona(text: str) -> str | None:
    """The name that Joe's own record shows."""
    told = {"subject": ["p1"], "sex": ["male"], "family": ["Smith"], "given": ["Joe Quincy"]}
    return FullName().bind(Keys()).mask_distinct([text], **told)[0]


def display(bound: BoundMasker, value: str, referent: str) -> str | None:
    return bound.mask_distinct([value], **{name: [None] for name in bound.context} | {"referent": [referent]})[0]


def test_a_display_shows_the_name_of_the_record():
    bound = DISPLAY.bind(Keys()).with_people(Known())
    for text in ("Joe Smith", "SMITH, JOE", "Mr. Joe Quincy Smith"):
        assert display(bound, text, "Patient/p1") == persona(text) != text
    assert (
        display(bound, "General Hospital", "/o1") == Hash(length=16).bind(Keys()).mask_distinct(["General Hospital"])[0]
    )


def test_a_note_shows_the_name_of_the_record():
    bound = Scrub().bind(Keys()).with_people(Known())
    text = "Joe Smith has a cough."
    masked = bound.mask_distinct(
        [text], owner=["Patient/p1"], people=[None], content_type=[None], chart=[None], strangers=[None], numbers=[None]
    )[0]
    assert masked is not None and masked.endswith(" has a cough.")
    assert "Joe" not in masked and "Smith" not in masked


@pytest.mark.parametrize(
    "combined",
    [
        Chain((DISPLAY, Keep())),
        OneOfBy("referent", {"Patient/p1": DISPLAY}),
        OneOfBy("system", {"none": Keep()}, DISPLAY),
        Chain((OneOfBy("referent", {"Patient/p1": DISPLAY}), Keep())),
    ],
    ids=["chain", "case", "default", "nested"],
)
def test_combined_maskers_tell_their_parts(combined):
    bound = combined.bind(Keys())
    assert bound.asks_people
    knowing = bound.with_people(Known())
    assert knowing.asks_people and knowing.context == bound.context
    assert display(knowing, "SMITH, JOE", "Patient/p1") == persona("SMITH, JOE")
    assert display(bound, "SMITH, JOE", "Patient/p1") != persona("SMITH, JOE")
    # What a part knows does not travel.
    assert display(pickle.loads(pickle.dumps(knowing)), "SMITH, JOE", "Patient/p1") != persona("SMITH, JOE")


def test_combined_maskers_ask_for_nobody_by_themselves():
    assert not Chain((Keep(), Keep())).bind(Keys()).asks_people
    assert not OneOfBy("system", {"a": Keep()}).bind(Keys()).asks_people
