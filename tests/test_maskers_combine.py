"""chain and one_of_by."""

import pickle

import pandas as pd
import pytest

import masking.maskers  # noqa: F401
from masking.errors import ParameterError
from masking.keys import hmac_parts
from masking.maskers.births import CapBirthYear, RetainAge
from masking.maskers.combine import Chain, KeepListed, OneOfBy
from masking.maskers.dates import DateShift, Generalize
from masking.maskers.generic import Constant, Keep, Redact
from masking.maskers.numbers import Perturb


class Keys:
    def subkey(self, purpose: str) -> bytes:
        return hmac_parts(b"test", purpose.encode())


def test_chain_goes_in_order():
    bound = Chain([DateShift(), Generalize("month")]).bind(Keys())
    shifted = DateShift().bind(Keys()).mask_distinct(["1987-03-02"], subject=["s"])[0]
    assert bound.mask_distinct(["1987-03-02"], subject=["s"], owner=[None], chart=[None]) == [shifted[:7]]


def test_chain_stops_at_null():
    assert Chain((Redact(), Constant("x"))).bind(Keys()).mask_distinct(["a", "b"]) == [None, None]
    values = pd.Series(["2024-02-30", None, "2024-02-29", ""], index=[4, 3, 2, 1])
    masked = Chain((Generalize(), Constant("x"))).bind(Keys())(values)
    assert masked.tolist() == [None, None, "x", None]
    assert masked.index.tolist() == [4, 3, 2, 1]


def test_context_is_what_the_parts_ask_for():
    chain = Chain((RetainAge("2024-01-01"), CapBirthYear(reference_date="2024-01-01")))
    assert chain.bind(Keys()).context == ("subject", "deceased", "owner")
    assert Chain((Keep(), Keep())).bind(Keys()).context == ()
    choice = OneOfBy("system", {"a": Perturb(percent=5)}, chain)
    assert set(choice.bind(Keys()).context) == {"system", "subject", "deceased", "owner"}


def test_context_travels():
    bound = OneOfBy("system", {"a": Chain((DateShift(), Generalize()))}).bind(Keys())
    sent = pickle.loads(pickle.dumps(bound))
    assert sent == bound and sent.context == bound.context == ("subject", "system", "owner", "chart")


def test_one_of_by_chooses():
    bound = OneOfBy("system", {"phone": Constant("P"), "email": Keep()}, Constant("?")).bind(Keys())
    systems = ["phone", "email", "fax", None, "Phone", ""]
    assert bound.mask_distinct(["v"] * 6, system=systems) == ["P", "v", "?", "?", "?", "?"]


def test_one_of_by_redacts_what_no_case_names():
    bound = OneOfBy("sex", {"male": Keep()}).bind(Keys())
    masked = bound(pd.Series(["a", "b", None]), sex=pd.Series(["male", "female", "male"]))
    assert masked.tolist() == ["a", None, None]


def test_parts_see_their_own_context_and_distinct_rows():
    seen = []
    bound = OneOfBy("system", {"a": Perturb(percent=5), "b": Keep()}, Redact()).bind(Keys())
    inner = bound.cases["a"]
    alone = inner.mask_distinct(["100.0", "100.0"], subject=["s", "t"])
    masked = bound.mask_distinct(["100.0"] * 4, system=["a", "b", "a", "x"], subject=["s", "s", "t", "s"])
    assert masked == [alone[0], "100.0", alone[1], None]

    class Spy(type(Keep().bind(Keys()))):
        def mask_distinct(self, values, **context):
            seen.extend(values)
            return list(values)

    chain = Chain((Generalize(), Keep())).bind(Keys())
    object.__setattr__(chain, "links", (chain.links[0], Spy()))
    assert chain.mask_distinct(["1987-01-01", "1987-01-02"]) == ["1987", "1987"]
    assert seen == ["1987"]


def test_specs_have_hashes_and_compare():
    one = OneOfBy("sex", {"male": Keep()}, Redact())
    assert hash(one) == hash(OneOfBy("sex", {"male": Keep()}, Redact())) and one != OneOfBy(
        "sex", {"female": Keep()}, Redact()
    )
    assert hash(Chain([Keep(), Redact()])) == hash(Chain((Keep(), Redact())))


@pytest.mark.parametrize("maskers", [[], [Keep()], [Keep(), "keep"], "keep", Keep(), None])
def test_chain_checks_its_maskers(maskers):
    with pytest.raises(ParameterError, match="maskers"):
        Chain(maskers)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"by": "colour", "cases": {"a": Keep()}}, "by: .*one of: subject"),
        ({"by": "sex", "cases": {}}, "cases: "),
        ({"by": "sex", "cases": [Keep()]}, "cases: "),
        ({"by": "sex", "cases": {1: Keep()}}, "cases: case 1 is not text"),
        ({"by": "sex", "cases": {"male": "keep"}}, "cases"),
        ({"by": "sex", "cases": {"male": Keep()}, "default": "redact"}, "default: "),
    ],
)
def test_one_of_by_checks_its_parameters(parameters, message):
    with pytest.raises(ParameterError, match=message):
        OneOfBy(**parameters)


def test_keep_listed():
    bound = KeepListed(("HL7", "HL7 *"), Constant("other")).bind(Keys())
    assert bound.mask_distinct(["HL7", "HL7 International", "HL7x", "hl7"]) == [
        "HL7",
        "HL7 International",
        "other",
        "other",
    ]
    assert [bound.blanks("x", answer) for answer in ("HL7", "other")] == [False, True]
    for keep in ("HL7", ("*",), ("a*b",), (5,)):
        with pytest.raises(ParameterError, match="keep"):
            KeepListed(keep, Constant("x"))
