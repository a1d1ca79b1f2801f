"""JSON itself: what is kept is kept to the byte, what cannot be masked is at fault, and the output is always valid JSON."""

import json

import pytest
from documents import check, dump, mask, one, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.document import Engine

LABELS = b'"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"PSEUDED","display":"pseudonymized"}]}'
WHITE = st.text(" \t\r\n", max_size=3)


def _observation(value: bytes) -> bytes:
    return b'{"resourceType":"Observation","valueQuantity":{"value":' + value + b'},"status":"final"}'


@pytest.mark.parametrize(
    "number", ["1.00", "1E2", "-0.0", "57.177223184091154", "1e400", "9" * 1000, "0." + "3" * 1000, "1" * 50_000]
)
def test_numbers_keep_their_spelling(number):
    spelled = number.encode()
    assert b'{"value":' + spelled + b"}" in one(_observation(spelled))


KEPT = [
    '"\\u00e9"',
    '"é"',
    '"\\ud83d\\ude00"',
    '"\\/"',
    '"\\u0000"',
    '"a\\\\"',
    '"\\\\\\""',
    '"\\n\\t"',
    '"\u2028"',
    '"\x7f"',
    '""',
    '"李"',
]


@pytest.mark.parametrize("text", KEPT)
def test_strings_keep_their_spelling(text):
    quantity = b'{"code":' + text.encode() + b',"value":1}'
    source = b'{"resourceType":"Observation","valueQuantity":' + quantity + b',"note":[{"text":"x"}]}'
    masked = one(source)
    assert quantity in masked
    json.loads(masked)


def test_separators_white_space_and_order_stay():
    source = (
        b'{ "status" :\t"final",\r\n  "resourceType": "Observation" , "code":{"coding":[ '
        b'{"code" : "1", "system":"http://loinc.org"} ]},'
        b' "valueQuantity" : {"value":1.0 ,"unit": "kg" } }'
    )
    expected = source.replace(b'"Observation"', b'"Observation",' + LABELS)
    assert one(source) == expected


def test_python_style():
    document = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "note": [{"text": "x", "time": "2024"}],
        "a": 1,
    }
    masked = one(json.dumps(document).encode())
    assert masked.endswith(b'"status": "final", "note": [{"text": "[redacted]", "time": "2024"}]}')


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=20), key=st.text(max_size=8), before=WHITE, after=WHITE, is_ascii=st.booleans())
def test_any_strings_at_any_place(text, key, before, after, is_ascii):
    value, name = (json.dumps(item, ensure_ascii=is_ascii) for item in (text, key))
    source = (
        f'{{"resourceType"{before}:{after}"Observation","id":{value},"code":{{"text":{value},"coding":[{{"system":"http://loinc.org",'
        f'"display":{value}}}]}},"valueString":{value},"valueQuantity":{{"unit":{value}}},{name}:{value},'
        f'"note":[{{"text":{value}}},{{"time":{value}}}],"extension":[{{"url":{value},"valueString":{value}}}],"issued":{value},'
        f'"identifier":[{{"system":{value},"value":{value}}}],"subject":{{"reference":{value}}}}}'
    )
    check([source.encode("utf-8", "surrogatepass")])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(document):
    batch = Engine(plan()).mask_batch([document])
    assert batch.masked == [None]
    assert [fault.index for fault in batch.faults] == [0]


FAULTS = {
    b"": "not-json",
    b" ": "not-json",
    b"null": "not-a-resource",
    b"5": "not-a-resource",
    b'"Patient"': "not-a-resource",
    b"[]": "not-a-resource",
    b'[{"resourceType":"Patient"}]': "not-a-resource",
    b"{}": "no-type",
    b'{"id":"a"}': "no-type",
    b'{"resourceType":null}': "no-type",
    b'{"resourceType":5}': "no-type",
    b'{"resourceType":["Patient"]}': "no-type",
    b'{"ResourceType":"Patient"}': "no-type",
    b'{"resource\\u0054ype":"Patient"}': "no-type",
    b'{"resourceType":""}': "unknown-type",
    b'{"resourceType":"patient"}': "unknown-type",
    b'{"resourceType":"HumanName"}': "unknown-type",
    b'{"resourceType":"Resource"}': "unknown-type",
    b'{"resourceType":"../../etc"}': "unknown-type",
    b'{"resourceType":"Patient","id":"a","id":"b"}': "duplicate-key",
    b'{"resourceType":"Patient","name":[{"use":"a","use":"a"}]}': "duplicate-key",
    b'{"resourceType":"Patient","unheard":{"a":1,"a":2}}': "duplicate-key",
    b'{"resourceType":"Patient"': "not-json",
    b'{"resourceType":"Patient",}': "not-json",
    b'{"resourceType":"Patient"}}': "not-json",
    b'{"resourceType":"Patient"}{"resourceType":"Patient"}': "not-json",
    b"{'resourceType':'Patient'}": "not-json",
    b'{"resourceType":"Patient","active":True}': "not-json",
    b'{"resourceType":"Patient","multipleBirthInteger":NaN}': "not-json",
    b'{"resourceType":"Patient","multipleBirthInteger":01}': "not-json",
    b'{"resourceType":"Patient","multipleBirthInteger":1.}': "not-json",
    b'{"resourceType":"Patient","id":"a\x00"}': "not-json",
    b'{"resourceType":"Patient","id":"a\x01"}': "not-json",
    b'{"resourceType":"Patient","id":"\x02"}': "not-json",
    b'{"resourceType":"Patient","name":[\x03]}': "not-json",
    b'{"resourceType":"Patient","id":"\\x41"}': "not-json",
    b'{"resourceType":"Patient","id":"\\ud800"}': "not-json",
    b'{"resourceType":"Patient","id":"\\udc00\\ud800"}': "not-json",
    b'{"resourceType":"Patient","id":"\xff"}': "not-utf-8",
    b'{"resourceType":"Patient","id":"\xed\xa0\x80"}': "not-utf-8",
    b'{"resourceType":"Patient","\xc0\xaf":1}': "not-utf-8",
    b"\x1f\x8b\x08\x00": "not-json",
}


def test_what_is_no_resource_is_at_fault():
    found = mask(list(FAULTS))
    assert [fault.reason for fault in found.faults] == list(FAULTS.values())
    assert found.masked == [None] * len(FAULTS)
    check(list(FAULTS))


def test_types_that_the_policy_refuses_or_drops():
    documents = [b'{"resourceType":"Binary"}', b'{"resourceType":"Basic"}', b'{"resourceType":"Patient"}']
    batch = mask(documents, "awkward")
    assert [(fault.index, fault.reason) for fault in batch.faults] == [(0, "refused-by-policy")]
    assert batch.dropped == [1]
    assert batch.resource_types == ["Binary", "Basic", "Patient"]


def test_escaped_spellings():
    """A type may be spelled with escapes. A key may not: it is none of R4's, so it cannot smuggle a second value past anybody."""
    masked = one(b'{"resourceType":"P\\u0061tient","id":"a","\\u0069d":"secret","gender":"male"}')
    assert list(json.loads(masked)) == ["resourceType", "id", "meta", "gender"]
    assert b"secret" not in masked
    check(
        [
            b'{"resourceType":"P\\u0061tient","contact":[{"gender":"male","n\\u0061me":{}},{"gender":"female"}],"gender":"other"}'
        ]
    )


def test_line_ends_and_byte_order_marks():
    plain = b'{"resourceType":"Patient","active":true}'
    wanted = one(plain)
    for around in (b"%b\r\n", b"%b\r", b"\xef\xbb\xbf%b", b"\xef\xbb\xbf %b\n", b"\t %b \n\n"):
        assert one(around % plain) == wanted


def test_nesting():
    def nested(levels: int) -> bytes:
        return (
            b'{"resourceType":"Questionnaire","item":'
            + b'[{"linkId":"1","item":' * levels
            + b"[]"
            + b"}]" * levels
            + b"}"
        )

    assert mask([nested(20)]).faults == []
    for bomb in (
        nested(60),
        nested(10_000),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"resourceType":' + b"[" * 200 + b"]" * 200 + b"}",
    ):
        assert next(fault.reason for fault in mask([bomb]).faults) in ("too-deep", "not-json")


def test_long_lines():
    engine = Engine(plan(), max_bytes=100)
    short = b'{"resourceType":"Patient","active":true}'
    batch = engine.mask_batch([short + b" " * (100 - len(short)), short + b" " * (101 - len(short))])
    assert [fault.reason for fault in batch.faults] == ["too-long"]
    assert batch.masked[0] is not None


@pytest.mark.slow
def test_a_line_of_100_megabytes():
    item = {"linkId": "1", "text": "How?", "answer": [{"valueString": "Ann Other", "valueDecimal": 1}]}
    parts = b",".join([dump(item)] * (100_000_000 // len(dump(item))))
    source = b'{"resourceType":"QuestionnaireResponse","id":"q","item":[' + parts + b"]}"
    masked = one_of(source)
    assert len(json.loads(masked)["item"]) == len(json.loads(source)["item"])
    assert b"Ann Other" not in masked


def one_of(source: bytes) -> bytes:
    """The masked document, asked for once."""
    batch = Engine(plan()).mask_batch([source])
    assert batch.masked[0] is not None
    return batch.masked[0]


def test_nothing_in_nothing_out():
    batch = Engine(plan()).mask_batch([])
    assert (batch.masked, batch.resource_types, batch.faults, batch.dropped, batch.redactions) == ([], [], [], [], {})
