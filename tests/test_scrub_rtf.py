"""RTF: what its control words read as, which of its groups go, and which documents cannot be read."""

from __future__ import annotations

import pytest

from masking.scrub import Dossier, Scrubber, Term, rtf, scrub_markup
from masking.scrub.embedded import without_bytes

ROBERT = Dossier(
    (Term("given", "Robert", "Marcus"), Term("family", "Smithers", "Hale"), Term("family", "Иванов", "Hale")), 10
)


def scrubbed(text: str) -> str | None:
    bare = without_bytes("rtf", text)
    return None if bare is None else scrub_markup(Scrubber(), "rtf", [bare], [ROBERT])[0].text


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        (r"{\info{\title Letter}{\author Robert Smithers}{\operator jdoe}{\*\company Acme}}Text", "Text"),
        (r"{\b Robert}{\b Smithers}", r"{\b Marcus}{\b Hale}"),
        (r"{\b Robert}Smithers", r"{\b Marcus}Hale"),
        (r"\b Robert\b0 Smithers", r"\b Marcus\b0 Hale"),
        ("{\\b Robert}\r\n{\\b Smithers}", "{\\b Marcus}\r\n{\\b Hale}"),
        (r"{\rtlch Rob}{\ltrch ert} came", r"{\rtlch Marcus}{\ltrch } came"),
        (r"x{\*\bkmkstart Robert}Smithers", r"x{\*\bkmkstart Marcus}Hale"),
        (r"x{\footnote Robert}y", r"x{\footnote Marcus}y"),
        (r"\uc0\u8220 Robert\u8221 x", r"\uc0\u8220 Marcus\u8221 x"),
        (r"{\uc0\u8220 Robert}\u8220 'Robert", r"{\uc0\u8220 Marcus}\u8220 'Marcus"),
        (r"\uc2\u8220\'93\'94Robert", r"\uc2\u8220\'93\'94Marcus"),
        (r"Rob\'65rt", "Marcus"),
        (r"a{\pict\pngblip 89504e47{\*\blipuid 00}}b{\object\objemb{\*\objdata 01050000}}", r"ab{\object\objemb}"),
        (r"a{\pict\wmetafile8\bin5 {{}}}}b", "ab"),
        (r"a{\*\shppict{\pict 8950}}b", "ab"),
        ("a " + "89504e47" * 30 + "b", "a b"),
        (r"\'5c\{Robert\}", r"\'5c\{Marcus\}"),
    ],
)
def test_groups_bytes_and_words(source: str, masked: str) -> None:
    assert scrubbed(rf"{{\rtf1\ansi {source}\par}}") == rf"{{\rtf1\ansi {masked}\par}}"


def test_letters_are_those_of_the_code_page() -> None:
    name = "".join(f"\\'{byte:02x}" for byte in "Иванов".encode("cp1251"))
    assert scrubbed(rf"{{\rtf1\ansi\ansicpg1251 {name}\par}}") == r"{\rtf1\ansi\ansicpg1251 Hale\par}"
    of_font = rf"{{\rtf1\ansi{{\fonttbl{{\f0\fswiss Arial;}}{{\f1\froman\fcharset204 Times;}}}}\f1 {name}\par}}"
    assert "Hale" in str(scrubbed(of_font))


@pytest.mark.parametrize(
    "source",
    [
        r"\ansicpg99999 Rob\'65rt",
        r"\ansicpg932 \'8a\'b4",
        r"{\fonttbl{\f1\fcharset99 X;}}\f1 \'e5",
        "Robert}",
        "{Robert",
    ],
)
def test_what_cannot_be_read_goes(source: str) -> None:
    assert scrubbed(rf"{{\rtf1\ansi{source}}}") is None


def test_a_font_that_is_not_used_hinders_nobody() -> None:
    text = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}{\f1\fcharset128 Mincho;}}\f0 Rob\'65rt}"
    assert scrubbed(text) == text.replace(r"Rob\'65rt", "Marcus")


def test_what_is_written_reads_as_it_was() -> None:
    written = rtf.write("Zoë {x} 😀")
    assert written == r"Zo{\uc1\u235?} \{x\} {\uc1\u-10179?\u-8704?}"
    assert "".join(one.reads for one in rtf.cut(rf"{{\rtf1\uc0 {written}}}") if not one.stays) == "ë{}\ud83d\ude00"
