"""One row a masker: an example spec, golden pairs under a fixed key, and the promises that hold for every masker.

A masker that is registered without a row fails here. A changed golden is a breaking change, and the changelog says so.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

import masking.maskers  # noqa: F401
from masking.keys import Keyring, MasterKey
from masking.maskers.base import CONTEXT, BoundMasker, Masker, registered

PAIRS = str(Path(__file__).parent / "data" / "substitute.csv")
SUBJECT = {"subject": "patient-1"}
JOE = {"subject": "patient-1", "sex": "male", "family": "Smith", "given": "Joe"}
HOME = {"address": "12 Main St|Boston|MA|02115|US"}


def spec(name: str, **parameters: object) -> Masker:
    """A masker by its registered name, as a policy would make it."""
    return registered()[name](**parameters)


@dataclass(frozen=True)
class Row:
    """What a masker makes of some values, each with the row's context, under the key `test`."""

    spec: Masker
    golden: Mapping[str, str | None]
    context: Mapping[str, str] = field(default_factory=dict)
    #: asks for no subkey, so that any key gives the same
    keyless: bool = False


ROWS = {
    "keep": Row(spec("keep"), {"a": "a", "": "", "0": "0", "1E2": "1E2"}, keyless=True),
    "redact": Row(spec("redact"), {"a": None, "0": None}, keyless=True),
    "constant": Row(spec("constant", value="empty"), {"a": "empty", "": "empty", "0": "empty"}, keyless=True),
    "substitute": Row(
        spec("substitute", file=PAIRS, default="hash"),
        {"Ward 1": "North", "Ward, old": "South", "Ward 2": "402fa98eeeb4470e029614fcc2bc310e"},
    ),
    "shuffle_within": Row(
        spec("shuffle_within", pool=[f"Ward {number}" for number in range(1, 9)]),
        {"Ward 1": "Ward 2", "Ward 2": "Ward 5", "Ward 3": "Ward 6", "Ward 9": None, "": None},
    ),
    "date_shift": Row(
        spec("date_shift"),
        {
            "2024-02-29": "2024-03-03",
            "2024-03-01T10:00:00.120+01:00": "2024-03-04T10:00:00.120+01:00",
            "2024-02": "2024-02",
            "2024": "2024",
            "2024-02-30": None,
            "": None,
            "0": None,
        },
        SUBJECT,
    ),
    "generalize": Row(
        spec("generalize", to="month"),
        {"2024-02-29T10:00:00Z": "2024-02", "2024": "2024", "2024-02-30": None, "": None, "0": None},
        keyless=True,
    ),
    "retain_age": Row(
        spec("retain_age", reference_date="2024-06-15"),
        {
            "1987-03-02": "1986-07-09",
            "1987-03": "1986-12",
            "1987": "1987",
            "1987-03-02T10:00:00Z": "1986-07-09T10:00:00Z",
            "1987-02-29": None,
            "": None,
        },
        SUBJECT | {"deceased": "2019-04-03T10:00:00Z"},
    ),
    "cap_birth_year": Row(
        spec("cap_birth_year", reference_date="2024-06-15"),
        {"1930-03-02": "1934", "1987-03-02": "1987-03-02", "1930-02-30": None, "": None},
        keyless=True,
    ),
    "perturb": Row(
        spec("perturb", percent=10),
        {"100.00": "95.95", "-3.50": "-3.32", "1.50E2": "1.65E2", "0": "0", "0.0": "0.0", "": None, "x": None},
        SUBJECT,
    ),
    "bucket": Row(
        spec("bucket", size=10), {"37.52": "30", "-3": "-10", "0": "0", "1E2": "100", "": None}, keyless=True
    ),
    "cap_age": Row(
        spec("cap_age"), {"89": "89", "90": "90", "104.5": "90", "0": "0", "": None}, {"unit": "a"}, keyless=True
    ),
    "unit": Row(
        spec("unit"),
        {"mm[Hg]": "mm[Hg]", "Joe Smith": "kg", "2065550142": "kg", "": "kg", "0": "0"},
        {"system": "http://unitsofmeasure.org", "unit": "kg"},
        keyless=True,
    ),
    "media_type": Row(
        spec("media_type"),
        {
            "image/png; name=joe_smith.png": "image/png",
            "text/plain;charset=UTF-8": "text/plain;charset=UTF-8",
            'text/html; name="joe.html"; charset="utf-8"': 'text/html; charset="utf-8"',
            "application/fhir+json; fhirVersion=4.0": "application/fhir+json",
            "joe smith": None,
            "": None,
        },
        keyless=True,
    ),
    "version_tag": Row(
        spec("version_tag"),
        {
            'W/"3"': 'W/"id-3c8f8494e1d51aae12756faf46f0bd91"',
            '"3"': '"id-3c8f8494e1d51aae12756faf46f0bd91"',
            "*": "*",
            'W/"3", W/"4"': 'W/"id-3c8f8494e1d51aae12756faf46f0bd91", W/"id-1382afa02787b53d3a91a60ab401f5d2"',
            "3": None,
            'W/""': None,
            'W/"joe smith"': None,
            "": None,
            'W/"3", joe': None,
        },
    ),
    "redact_text": Row(spec("redact_text"), {"a note": "[redacted]", "": "[redacted]"}, keyless=True),
    "narrative": Row(
        spec("narrative"),
        {
            "<div>Joe</div>": '<div xmlns="http://www.w3.org/1999/xhtml">'
            "No human-readable text provided in this case</div>"
        },
        keyless=True,
    ),
    "chain": Row(
        spec("chain", maskers=[spec("date_shift"), spec("generalize", to="month")]),
        {"2024-02-29": "2024-03", "2024-02-30": None, "": None},
        SUBJECT,
    ),
    "one_of_by": Row(
        spec("one_of_by", by="system", cases={"phone": spec("perturb", absolute=1000)}, default=spec("redact")),
        {"2065550142": "2065550302", "": None, "0": "0"},
        {"system": "phone"},
    ),
    "pseudonymize_id": Row(
        spec("pseudonymize_id"),
        {
            "0b9c8e2f-6f3a-4c59-9f0e-7d1c2a3b4c5d": "bd97755e-00b3-ab5a-ed06-8ad257cfbf85",
            "urn:oid:1.2.840.113619.2.5": "urn:oid:2.25.9504096701729839831097028796722613945",
            "patient-1": "id-2183d49ad6cada0d7c9a43229ac599cb",
            "0": "id-e0e9d5ee6ef26d57d559e32ccc47aa5b",
            "": None,
        },
    ),
    "reference": Row(
        spec("reference"),
        {
            "Patient/patient-1": "Patient/id-2183d49ad6cada0d7c9a43229ac599cb",
            "https://fhir.hospital.org/r4/Patient/patient-1/_history/2": "https://server-459329a7784d9870.example.org/fhir/Patient/id-2183d49ad6cada0d7c9a43229ac599cb",
            "urn:uuid:0b9c8e2f-6f3a-4c59-9f0e-7d1c2a3b4c5d": "urn:uuid:bd97755e-00b3-ab5a-ed06-8ad257cfbf85",
            "#patient-1": "#id-2183d49ad6cada0d7c9a43229ac599cb",
            "Patient?name=joe": None,
            "": None,
        },
    ),
    "search": Row(
        spec("search"),
        {
            "identifier=http://hospital.org/mrn|12345": None,  # a plan hands it the maskers of identifiers
            "?_id=patient-1": "?_id=id-2183d49ad6cada0d7c9a43229ac599cb",
            "name=joe": None,
            "identifier=a|1#b": None,
            "0": None,
            "": None,
        },
    ),
    "public_uri": Row(
        spec("public_uri", keep=["http://hl7.org/*", "http://loinc.org"]),
        {
            "http://loinc.org": "http://loinc.org",
            "http://hl7.org/fhir/ValueSet/x|4.0.1": "http://hl7.org/fhir/ValueSet/x|4.0.1",
            "http://hl7.org/fhir/x?patient=1": "http://www.example.org/79d13854f030ebb4",
            "https://hospital.org/mrn": "https://www.example.org/445806e96e0d8242",
            "MRN": "https://www.example.org/ed910bde4ef54aff",
            "0": "https://www.example.org/a149c22514e1d580",
            "": None,
        },
    ),
    "format_preserving": Row(
        spec("format_preserving"),
        {"MRN-0012345-AB": "DMW-7689082-KH", "7": "25525082976945813409263", "0": "95385885983357371444276", "": None},
        {"system": "http://hospital.org/mrn"},
    ),
    "hash": Row(
        spec("hash", length=16, prefix="x-"),
        {"patient-1": "x-0114d91795f9dfb2", "0": "x-11a2f3bedeb347ba", "": "x-310e1e7b5ba52db8"},
    ),
    "check_digit": Row(
        spec("check_digit", scheme="npi"), {"1234567893": "3310702162", "1234567890": "3310702169", "": None, "0": None}
    ),
    "ssn": Row(
        spec("ssn"),
        {"123-45-6789": "905-47-0167", "123456789": "905470167", "XXX-XX-6789": "XXX-XX-6288", "": None, "0": None},
    ),
    "first_name": Row(spec("first_name"), {"Joe": "Sherwood", "JOE": "SHERWOOD", "Q.": "C.", "": None, "0": None}, JOE),
    "last_name": Row(spec("last_name"), {"Smith": "Bond", "García-López": "Evans-Lombroso", "": None, "0": None}, JOE),
    "full_name": Row(
        spec("full_name"),
        {"Mr. Joe Smith Jr.": "Mr. Sherwood Bond Jr.", "SMITH, JOE": "BOND, SHERWOOD", "": None, "0": None},
        JOE,
    ),
    "keep_listed": Row(
        spec("keep_listed", keep=["HL7", "HL7 *"], others=spec("constant", value="other")),
        {"HL7": "HL7", "HL7 International": "HL7 International", "hl7": "other", "": "other", "0": "other"},
        keyless=True,
    ),
    "by_referent": Row(  # nobody is known here; tests/test_known_people.py has those who are
        spec("by_referent", person=spec("full_name"), place=spec("hash", length=16), default=spec("redact_text")),
        {"General Hospital": "f87083780ae22517", "": "310e1e7b5ba52db8"},
        {"referent": "Organization/1"},
    ),
    "facility": Row(
        spec("facility"),
        {
            "General Hospital": "Brisk Waterside Daylight General Hospital of Massachusetts",
            "GENERAL HOSPITAL": "BRISK WATERSIDE DAYLIGHT GENERAL HOSPITAL OF MASSACHUSETTS",
            "St. Anne Apotheke": "Hornbeam Ledge Wellspring Drugstore of Massachusetts",
            "0": "Steel Cliffs Voyage Group of Massachusetts",
            "": None,
        },
        HOME,
    ),
    "scrub": Row(  # likewise
        spec("scrub"),
        {"Joe Smith called": "[redacted]", "": "[redacted]", "0": "[redacted]"},
        {"subject": "p1"},
    ),
    "name_prefix": Row(
        spec("name_prefix"), {"Dr.": "Dr.", "Mrs.": None, "Duke of York": None, "": None}, JOE, keyless=True
    ),
    "name_suffix": Row(spec("name_suffix"), {"Jr.": "Jr.", "of York": None, "": None}, keyless=True),
    "username": Row(spec("username"), {"jsmith": "sbond54039", "": None}, JOE),
    "address": Row(
        spec("address", part="text"),
        {"12 Main St, Boston, MA 02115": "39 14th Pkwy, Idaho Falls, ID 83406", "": None},
        HOME,
    ),
    "geolocation": Row(spec("geolocation", part="latitude"), {"42.340382": "43.475910", "": None, "x": None}, HOME),
    "zip3_generalize": Row(
        spec("zip3_generalize"),
        {"02115": "021", "02115-1234": "021", "03601": "000", "": None, "0": None},
        keyless=True,
    ),
    "phone": Row(
        spec("phone"),
        {"(617) 555-2368": "(208) 555-0195", "+1-617-555-2368": "+1-208-555-0195", "": None, "0": None},
        HOME,
    ),
    "email": Row(
        spec("email"), {"joe.smith@hospital.org": "sherwood.bond338853@example.com", "": None, "0": None}, JOE
    ),
    "url": Row(
        spec("url"),
        {
            "https://hospital.org/joe": "https://h69085c046c.example.net/8787aa91f26b0f2f",
            "mailto:joe@hospital.org": "mailto:sherwood.bond885327@example.net",
            "": None,
            "0": None,
        },
        JOE,
    ),
    "ip": Row(
        spec("ip"),
        {"10.1.2.3": "203.0.113.244", "fe80::1": "2001:db8:5a44:b08f:3d16:67d1:97ca:b88f", "": None, "0": None},
    ),
}

EVERY = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


class Keys:
    """A keyring of a fixed test key that remembers what it handed out."""

    def __init__(self, name: str = "test") -> None:
        self.ring: Keyring = MasterKey.from_bytes(sha256(name.encode()).digest()).keyring()
        self.given: list[bytes] = []

    def subkey(self, purpose: str) -> bytes:
        self.given.append(self.ring.subkey(purpose))
        return self.given[-1]


def columns(row: Row, index: pd.Index) -> dict[str, pd.Series]:
    """The row's context as aligned columns."""
    return {name: pd.Series([text] * len(index), index=index, dtype=object) for name, text in row.context.items()}


def masked(row: Row, values: list[object], bound: BoundMasker | None = None) -> list[str | None]:
    series = pd.Series(values, dtype=object)
    return (bound or row.spec.bind(Keys()))(series, **columns(row, series.index)).tolist()


def test_every_registered_masker_has_a_row_of_its_own():
    assert list(registered()) == sorted(ROWS)
    assert [row.spec.name for row in ROWS.values()] == list(ROWS)


@EVERY
def test_golden(row):
    assert dict(zip(row.golden, masked(row, list(row.golden)), strict=True)) == row.golden


@EVERY
def test_a_call_on_plain_lists_gives_the_same(row):
    bound = row.spec.bind(Keys())
    values = list(row.golden)
    context = {name: [row.context.get(name)] * len(values) for name in bound.context}
    assert set(bound.context) <= set(CONTEXT)
    assert bound.mask_distinct(values, **context) == list(row.golden.values())
    assert bound.mask_distinct([], **{name: [] for name in bound.context}) == []


@EVERY
def test_null_stays_null(row):
    assert masked(row, [None, float("nan"), pd.NA, None]) == [None] * 4
    some = list(row.golden)
    assert masked(row, [None, *some, None]) == [None, *row.golden.values(), None]


@EVERY
@pytest.mark.parametrize("value", ["", "0", 0, 0.0, False, " ", "\x00", "\ud800", "é" * 300, "İ", "-", "..", "\n"])
def test_any_value_gives_text_or_null(row, value):
    assert all(answer is None or isinstance(answer, str) for answer in masked(row, [value]))


@EVERY
def test_a_number_is_its_text(row):
    # Python takes all of these but the last two for equal.
    values = [0, False, 0.0, -0.0, "0", "False"]
    assert masked(row, values) == [masked(row, [str(value)])[0] for value in values]


@EVERY
def test_context_may_be_missing_or_null(row):
    series = pd.Series(list(row.golden), dtype=object)
    bound = row.spec.bind(Keys())
    null = {name: pd.Series([None] * len(series), dtype=object) for name in bound.context}
    assert bound(series).tolist() == bound(series, **null).tolist()


@EVERY
def test_an_empty_batch(row):
    empty = pd.Series([], dtype=object, name="x")
    answer = row.spec.bind(Keys())(empty, **columns(row, empty.index))
    assert len(answer) == 0 and answer.dtype == object and answer.name == "x"


@EVERY
def test_index_and_name_are_kept(row):
    values = [*row.golden, None, *row.golden]
    series = pd.Series(values, index=[index % 3 for index in range(len(values))], dtype=object, name="value")
    answer = row.spec.bind(Keys())(series, **columns(row, series.index))
    assert answer.index.equals(series.index) and answer.name == "value"
    assert answer.tolist() == [row.golden.get(value) for value in values]


@EVERY
def test_the_batch_does_not_matter(row):
    bound = row.spec.bind(Keys())
    values = [*row.golden, *(f"{value}7" for value in row.golden)]
    whole = masked(row, values, bound)
    assert [masked(row, [value], bound)[0] for value in values] == whole
    assert masked(row, values[::-1] * 2, bound) == whole[::-1] * 2
    assert masked(row, values) == whole


@EVERY
def test_pickling_keeps_the_function(row):
    bound = row.spec.bind(Keys())
    sent = pickle.loads(pickle.dumps(bound))
    assert sent.context == bound.context
    assert masked(row, list(row.golden), sent) == list(row.golden.values())
    assert pickle.loads(pickle.dumps(row.spec)) == row.spec


@EVERY
def test_another_key_gives_others(row):
    answers = masked(row, list(row.golden), row.spec.bind(Keys("another")))
    # Where nobody is known, a scrubbed text is the placeholder under any key.
    assert (answers == list(row.golden.values())) is (row.keyless or row.spec.name == "scrub")


@EVERY
def test_only_the_keyed_ask_for_keys_and_none_shows_one(row):
    keys = Keys()
    shown = f"{row.spec.bind(keys)!r} {row.spec!r}"
    assert bool(keys.given) is not row.keyless
    for key in keys.given:
        assert key.hex() not in shown and repr(key)[2:-1] not in shown


@EVERY
def test_equal_specs_are_equal_and_hash(row):
    again = pickle.loads(pickle.dumps(row.spec))
    assert hash(again) == hash(row.spec)
    assert again.bind(Keys()) == row.spec.bind(Keys())


@EVERY
def test_a_spec_says_what_it_does(row):
    assert (type(row.spec).__doc__ or "").strip() and not type(row.spec).__doc__.startswith(
        type(row.spec).__name__ + "("
    )


@EVERY
def test_a_bound_masker_that_always_says_the_same_says_so_truly(row):
    always = row.spec.bind(Keys()).always
    if always is not None:
        assert masked(row, list(row.golden)) == [always] * len(row.golden)
