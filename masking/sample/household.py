"""Who the patients are: four neighbours in the list make a household, and the household decides what they share.

Patient `index` belongs to household `index // 4`; what kind it is goes by its number, so an export of twenty has
each kind. Relations point from a later patient to an earlier one alone: however few patients are asked for, no
reference dangles.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from masking.sample.awkward import falls_to
from masking.sample.calendar import EXPORTED, age, iso
from masking.sample.chart import Json
from masking.sample.contacts import SSN_COUNT, address, mailbox, phone, plate, ssn, vin
from masking.sample.draw import Draw, spread, uuid
from masking.sample.names import COMMON_FAMILY, COMMON_GIVEN, People, Place, Words

SIZE = 4
#: Places with at most 20,000 people behind their first three digits (HHS's list, 2000 census).
_RESTRICTED_ZIPS = (("VT", "05901"), ("NH", "03601"), ("WY", "82190"), ("NV", "89301"))


@dataclass(slots=True)
class Member:
    """A patient before there is a record: who they are, where they live, and every number they carry."""

    index: int
    id: str
    sex: str
    born: int
    #: The birth date as it is on record: whole, `1987-03`, `1987`, or none.
    birth_text: str | None
    given: list[str]
    family: str
    address: Json
    phone: str
    email: str
    mrn: str
    ssn: str
    licence: str
    passport: str
    member_number: str
    account: str
    #: More names of the same person: (use, given, family).
    aliases: list[tuple[str, list[str], str]] = field(default_factory=list)
    died: int | None = None
    died_unknown_when: bool = False
    twin: int | None = None
    married: bool = False
    replaced_by: str | None = None
    plate: str | None = None
    vin: str | None = None
    #: Others in this household that come before in the list: (code of v3-RoleCode, display, member).
    relatives: list[tuple[str, str, Member]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """First name and family name, the way a display shows them."""
        return f"{self.given[0]} {self.family}"

    @property
    def age(self) -> int:
        """Whole years on the export's day, or at death."""
        return age(self.born, min(EXPORTED, self.died or EXPORTED))


#: kind: (lowest age, highest age, sex or None) for the four; children come first: their parents point back at them.
_KINDS: tuple[tuple[str, tuple[tuple[int, int, str | None], ...]], ...] = (
    ("family", ((4, 12, None), (13, 17, None), (36, 52, "female"), (36, 56, "male"))),
    ("twins", ((0, 0, None), (0, 0, None), (24, 40, "female"), (24, 44, "male"))),
    ("singles", ((90, 103, None), (66, 95, None), (20, 70, None), (19, 88, None))),
    ("duplicate", ((30, 75, "female"), (30, 75, "male"), (22, 80, None), (22, 80, None))),
    ("generations", ((3, 14, None), (30, 46, "female"), (70, 97, "female"), (18, 60, None))),
)


def household(seed: int, number: int, place: Place) -> tuple[Member, ...]:
    """The four members of a household, a function of the seed, the number and the region alone."""
    kind, people = _KINDS[number % len(_KINDS)]
    draw = Draw(seed, "household", number)
    words = place.words
    home = address(draw, place)
    landline = phone(draw, place.state)
    family = draw.pick(words.english.family)
    first = number * SIZE
    members: list[Member] = []
    for position, (low, high, settled) in enumerate(people):
        index = first + position
        alone = kind == "singles" or (kind in ("duplicate", "generations") and position >= 2 + (kind == "generations"))
        sex = _sex(draw, index, settled)
        born = _birth_day(draw, low, high)
        name = _names(draw, words, index, sex, None if alone else family)
        member = _member((seed, draw), index, sex, born, name)
        if alone:
            member.address, member.phone = address(draw, place), phone(draw, place.state)
        else:
            member.address, member.phone = home, landline
        if falls_to("restricted_zip", member.index) and alone:
            code, postal = draw.pick(_RESTRICTED_ZIPS)
            member.address = address(draw, Place(words, replace(place.state, code=code), (postal,)))
        members.append(member)
    _ARRANGE[kind](draw, words, members)
    return tuple(members)


def _sex(draw: Draw, index: int, settled: str | None) -> str:
    if falls_to("other_gender", index):
        return ("other", "unknown")[index // 30 % 2]
    return settled or ("female" if draw.chance(0.51) else "male")


def _member(who: tuple[int, Draw], index: int, sex: str, born: int, name: tuple[list[str], str]) -> Member:
    """The numbers that come with a person; none of them is given out twice."""
    seed, draw = who
    given, family = name
    mrn = str(10_000_000 + spread(index, 90_000_000, "mrn", seed))
    drives = falls_to("vehicle", index) and age(born, EXPORTED) >= 18
    return Member(
        index=index,
        id=_patient_id(seed, index, mrn),
        sex=sex,
        born=born,
        birth_text=None if falls_to("no_birth_date", index) else iso(born),
        given=given,
        family=family,
        address={},
        phone="",
        email=mailbox(given[0], family, index + seed),
        mrn=mrn,
        ssn=ssn(spread(index, SSN_COUNT, "ssn", seed)),
        licence=f"{'SDKMRT'[index % 6]}{spread(index, 10**8, 'licence', seed):08}",
        passport=f"{'ABCE'[index % 4]}{spread(index, 10**8, 'passport', seed):08}",
        member_number=f"{'XQKZ'[index % 4]}{'WVHG'[index // 4 % 4]}{spread(index, 10**9, 'plan', seed):09}",
        account=f"{spread(index, 9 * 10**11, 'account', seed) + 10**11}",
        plate=plate(draw) if drives else None,
        vin=vin(draw) if drives else None,
    )


def _patient_id(seed: int, index: int, mrn: str) -> str:
    """Mostly a UUID; some short and numeric, some odd but legal, some the very record number."""
    if falls_to("numeric_id", index):
        return str(1000 + index)
    if falls_to("odd_id", index):
        return f"PT.{index:05}-a.B--{index % 7}"
    return mrn if falls_to("mrn_as_id", index) else uuid(seed, "patient", index)


def _birth_day(draw: Draw, low: int, high: int) -> int:
    if high == 0:
        return EXPORTED - draw.between(3, 40)
    return EXPORTED - draw.between(low * 366, high * 365 + 300)


def _names(draw: Draw, words: Words, index: int, sex: str, family: str | None) -> tuple[list[str], str]:
    people: People = words.english
    for case, language in (("accented", words.accented), ("cjk", words.cjk), ("greek", words.greek)):
        if falls_to(case, index):
            people, family = language, None
    given = draw.several(people.given(sex), 2 if draw.chance(0.6) else 1)
    surname = family or draw.pick(people.family)
    if falls_to("accented", index):
        surname = f"{surname}-{draw.pick(people.family)}"
    if falls_to("combining", index):
        given = [unicodedata.normalize("NFD", draw.pick(("José", "Zoë", "Renée", "Noël", "Chloé")))]
        surname = unicodedata.normalize("NFD", draw.pick(("Muñoz", "Lefèvre", "Brontë", "Ångström")))
    if falls_to("common_word_name", index):
        given = [draw.pick(COMMON_GIVEN.get(sex, COMMON_GIVEN["female"]))]
        surname = family or draw.pick(COMMON_FAMILY)
    return given, surname


def _relate(later: Member, code: str, display: str, earlier: Member) -> None:
    later.relatives.append((code, display, earlier))


def _parents(draw: Draw, words: Words, members: list[Member]) -> None:
    children, (mother, father) = members[:2], members[2:]
    for parent, code, display in ((mother, "MTH", "mother"), (father, "FTH", "father")):
        parent.married = True
        for child in children:
            _relate(parent, code, display, child)
    _relate(children[1], "SIB", "sibling", children[0])
    _relate(father, "HUSB", "husband", mother)
    _maiden(draw, words, mother)


def _twins(draw: Draw, words: Words, members: list[Member]) -> None:
    first, second = members[:2]
    second.born, second.birth_text = first.born, first.birth_text and iso(first.born)
    first.twin, second.twin = 1, 2
    _parents(draw, words, members)


def _maiden(draw: Draw, words: Words, member: Member) -> None:
    """A name from before marriage; it shares the first names and nothing else."""
    names = words.accented.family if draw.chance(0.2) else words.english.family
    member.aliases.append(("maiden", member.given, draw.pick(names)))


def _singles(draw: Draw, words: Words, members: list[Member]) -> None:
    _, dead, leapling, partial = members
    dead.died = EXPORTED - draw.between(1, 700)
    leap_years = [year for year in range(1936, 2005, 4) if 20 <= 2025 - year <= 80]
    leapling.born = date(draw.pick(leap_years), 2, 29).toordinal()
    leapling.birth_text = iso(leapling.born)
    if partial.birth_text:
        partial.birth_text = iso(partial.born)[: 4 if partial.index % 8 == 3 else 7]


def _duplicate(draw: Draw, words: Words, members: list[Member]) -> None:
    """The fourth is the third again: registered twice, with a slip in the name, under another number."""
    wife, husband, original, copy = members
    wife.married = husband.married = True
    _relate(husband, "HUSB", "husband", wife)
    _maiden(draw, words, wife)
    copy.sex, copy.born, copy.birth_text = original.sex, original.born, original.birth_text
    copy.given, copy.family = [original.given[0]], original.family + original.family[-1]
    copy.address, copy.phone, copy.ssn, copy.email = original.address, original.phone, original.ssn, original.email
    copy.replaced_by = original.id
    copy.aliases.append(("usual", original.given, original.family))


def _generations(draw: Draw, words: Words, members: list[Member]) -> None:
    child, mother, grandmother, other = members
    _relate(mother, "MTH", "mother", child)
    _relate(grandmother, "GRPRN", "grandparent", child)
    _relate(grandmother, "MTH", "mother", mother)
    _maiden(draw, words, grandmother)
    other.died_unknown_when = other.index % 8 == 3


_ARRANGE = {
    "family": _parents,
    "twins": _twins,
    "singles": _singles,
    "duplicate": _duplicate,
    "generations": _generations,
}


def households(seed: int, indices: range, place: Place) -> Iterator[Member]:
    """The patients of these positions, which begin at a multiple of four."""
    for number in range(indices.start // SIZE, -(-indices.stop // SIZE)):
        yield from household(seed, number, place)[: indices.stop - number * SIZE]
