"""redact_text and narrative."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import ParameterError
from masking.maskers.text import Narrative, RedactText

VALUES = ["a note", "", "0", "\ud800", '<div xmlns="http://www.w3.org/1999/xhtml">Joe</div>']


class NoKeys:
    def subkey(self, purpose: str) -> bytes:
        raise AssertionError("a keyless masker asks for no subkey")


def test_every_text_becomes_the_placeholder():
    assert RedactText().bind(NoKeys()).mask_distinct(VALUES) == ["[redacted]"] * 5
    assert RedactText("x").bind(NoKeys()).mask_distinct(VALUES) == ["x"] * 5


def test_the_narrative_is_one_div():
    text = "No human-readable text provided in this case"
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
    assert Narrative().bind(NoKeys()).mask_distinct(VALUES) == [div] * 5


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\ufffe\uffff", exclude_categories=["Cc"]), min_size=1)
)
def test_any_narrative_is_well_formed_and_says_what_it_was_told(text):
    if not text.strip():
        return
    [div] = Narrative(text).bind(NoKeys()).mask_distinct(["x"])
    root = ElementTree.fromstring(div)
    assert root.tag == "{http://www.w3.org/1999/xhtml}div"
    assert root.text == text and len(root) == 0


@pytest.mark.parametrize("masker", [RedactText, Narrative])
@pytest.mark.parametrize("wrong", ["", " \n", None, 0, "a\x00b", "\ud800", "\ufffe", "\x1b"])
def test_a_placeholder_is_text_that_fhir_can_carry(masker, wrong):
    with pytest.raises(ParameterError, match="placeholder: "):
        masker(wrong)
