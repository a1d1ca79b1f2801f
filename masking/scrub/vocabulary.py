"""Words that say what stands beside them: labels of numbers, titles, months; and names that are words as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from masking.pools.load import street_suffixes
from masking.pools.titles import PREFIXES

MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())  # noqa: SIM905


def _data(name: str) -> str:
    return (files("masking.scrub") / "data" / name).read_text("utf-8")


_ROWS = [line.split(",") for line in _data("labels.csv").splitlines()[1:]]
#: Labels of identifiers -> what they label.
LABELS = {label: kind for label, kind, _, _ in _ROWS}
#: Those that stand before other numbers too: theirs have five symbols or more.
WEAK = frozenset(label for label, _, weak, _ in _ROWS if weak)
#: These say what a number is only beside a word such as 'number' or a mark such as '#'.
BARE = frozenset(label for label, _, _, bare in _ROWS if bare)
TITLES = frozenset(PREFIXES) - {"master", "miss", "rev"} | {"nurse"}
#: Behind a relation a stranger may be named: `her daughter Greta`; before a degree or a licence: `Ruth Osei, MD`.
RELATIONS = frozenset(_data("relations.txt").split())
#: Words that say what somebody does, or what a place is for: they are nobody's name.
ROLES = frozenset(_data("roles.txt").split())
#: Those that are no words of the language and no abbreviations of tests, in any case (`do`, `pa`, `ms`, `ot` are).
_DEGREES = "md rn np lpn lvn phd dpt pharmd lcsw crna dds dmd mbbs psyd fnp aprn dnp cnm lmft otr dvm faap facp facs"
CREDENTIALS = frozenset(_DEGREES.split())
#: Behind these an employer may be named.
WORK = frozenset(("works", "worked", "working", "employed", "employer"))


@cache
def words() -> dict[str, int]:
    """The words that matter: counted down from `WORDS` by the number, see `masking.scrub.batch`."""
    classes: dict[str, int] = {"www": 0}
    for month in MONTHS:
        classes[month] = classes[month[:3]] = 1
    classes["sept"] = 1
    for day in DAYS:
        for short in (day, day[:3], day[:4], day[:5]):
            classes.setdefault(short, 2)
    del classes["mond"], classes["satu"], classes["frid"]
    for title in TITLES:
        classes[title] = 3
    for word in WORK:
        classes[word] = 6
    for word in ("ninety", "hundred", *RELATIONS, *CREDENTIALS):
        classes[word] = 4
    for label in LABELS:
        classes.setdefault(label, 5)
    return classes


#: Names that are words of the clinic, or of colour and race: a capital alone does not make names of them.
_CLINICAL = frozenset(_data("clinical.txt").split())
#: Names that are English words too: names only where they stand as such.
COMMON = frozenset(_data("common.txt").split()) | _CLINICAL
#: Names that diseases, signs and devices bear.
EPONYMS = frozenset(_data("eponyms.txt").split())
_EPONYMOUS = re.compile(
    r"(?:['’]?s|['’])?[\s-]+(?:(?:type|cell|body|bodies|de|la|barr[eé]|weiss|sternberg|hodgkin|palsy|lamp|ganz|score|scale|"
    r"sign|test|disease|syndrome|thyroiditis|lymphoma|sarcoma|tumou?r|contracture|phenomenon|esophagus|oesophagus|"
    r"catheter|monitor|fracture|exercises?|man[oe]euv[er]+|stain|coma|ophthalmopathy|encephalopathy|chorea|gland|cyst|"
    r"tetralogy|paralysis|neuroma|node|position|point|triad|reflex|dementia|esophagitis|clamp|forceps|retractor)\b)",
    re.IGNORECASE,
)
#: Eponyms that mean the disease or the device also where nothing behind says which; those of devices.
_DEVICES = frozenset(("foley", "holter"))
_ALONE = _DEVICES | frozenset(
    "addison alzheimer asperger barrett crohn cushing down dupuytren graves hashimoto hodgkin huntington kaposi lyme "  # noqa: SIM905
    "parkinson peyronie raynaud sjogren tourette".split()
)
#: `Parkinson's worse`, `Graves' since 2019`; not what somebody has who bears the name.
_POSSESSIVE = re.compile(
    rf"(?:['’]s|(?<=s)['’])(?!\w)(?!\s+(?:{'|'.join(sorted(RELATIONS))}|patient|plan|note|notes|chart|office|team|request|"
    r"advice|opinion|recommendations?|orders?|practice|clinic|house|home|room|phone|number|address|name|birthday)\b)",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"\s+(?:(?:is|was|to\s+be|has\s+been)\s+)?(?:removed|inserted|placed|changed|replaced|in\s+place|in\s+situ|draining|"
    r"drained|out|bag|balloon|output|care|d/?c['’]?e?d|discontinued|clamped|patent|to\s+gravity|results?|reading|worn)\b",
    re.IGNORECASE,
)
#: Before an eponym that somebody bears: a title, a given name's initial.
_CALLED = re.compile(
    rf"\b(?:(?:{'|'.join(sorted(TITLES))})\b\.?\s+(?:[A-Z][\w'’-]*\.?\s+)?|[A-Z]\.\s?)$", re.IGNORECASE
)


def level_of(folded: str) -> int:
    """How surely a word that is a name is one where it stands: 0 surely, 1 with a capital, 2 beside a name or a title."""
    if is_clinical(folded):
        return 2
    return 1 if len(folded) <= 3 or folded in COMMON else 0


def is_clinical(folded: str) -> bool:
    """Whether a word is of the clinic, or says what somebody does: it stays but beside a name or a title."""
    return folded in _CLINICAL or folded in ROLES


def is_eponym(folded: str, text: str, start: int, stop: int, *, is_beside: bool) -> bool:
    """Whether a name is that of a disease, a sign or a device: `Parkinson's disease`, `Crohn's flare`, `Foley removed`.
    is_beside: whether a given name stands before it.
    """
    if folded not in EPONYMS:
        return False
    if _EPONYMOUS.match(text, stop) is not None:
        return True
    if folded not in _ALONE or is_beside:
        return False
    if text[start].islower():
        return True
    alone = _DEVICE if folded in _DEVICES else _POSSESSIVE
    return alone.match(text, stop) is not None and _CALLED.search(text, max(0, start - 24), start) is None


@cache
def nicknames() -> dict[str, tuple[str, ...]]:
    """Folded given name -> its short forms, the commonest first. Compiled for this project; common English usage."""
    table: dict[str, tuple[str, ...]] = {}
    for line in _data("nicknames.csv").splitlines():
        formal, short = line.split(",")
        table[formal] = tuple(short.split())
    return table


@cache
def full_names() -> dict[str, tuple[str, ...]]:
    """Folded short form -> the names it may stand for."""
    table: dict[str, list[str]] = {}
    for formal, shorts in nicknames().items():
        for short in shorts:
            table.setdefault(short, []).append(formal)
    return {short: tuple(formal) for short, formal in table.items()}


def forms_of(folded: str) -> Iterator[tuple[str, bool]]:
    """What else people call somebody of this given name, folded, and whether it is a short form of the name itself.

    Of William, Bill; of Bill, William, and whatever William is called beside it.
    """
    for short in nicknames().get(folded, ()):
        yield short, True
    for formal in full_names().get(folded, ()):
        yield formal, False
    for formal in full_names().get(folded, ()):
        for other in nicknames()[formal]:
            if other != folded:
                yield other, False


#: More suffixes of USPS Publication 28, appendix C1, than the pool of fakes has.
_SUFFIXES = """
annex/anx bridge/brg brook/brk burg/bg bypass/byp camp/cp canyon/cyn cape/cpe causeway/cswy center/ctr cliff/clf club/clb
common/cmn corner/cor crossing/xing estate/est estates/ests expressway/expy extension/ext falls/fls ferry/fry field/fld
fields/flds flat/flt ford/frd forest/frst fork/frk forks/frks fort/ft freeway/fwy garden/gdn gardens/gdns gateway/gtwy
glen/gln green/grn grove/grv harbor/hbr haven/hvn hill/hl hills/hls hollow/holw inlet/inlt island/is islands/iss junction/jct
key/ky knoll/knl knolls/knls lake/lk lakes/lks landing/lndg light/lgt lodge/ldg manor/mnr meadow/mdw meadows/mdws mill/ml
mills/mls mission/msn mountain/mtn orchard/orch passage/psge pine/pne pines/pnes plain/pln plains/plns plaza/plz point/pt
points/pts port/prt ports/prts prairie/pr ranch/rnch rapids/rpds ridge/rdg river/riv shoal/shl shore/shr shores/shrs
spring/spg springs/spgs station/sta stream/strm summit/smt throughway/trwy trace/trce track/trak turnpike/tpke union/un
valley/vly viaduct/via view/vw village/vlg ville/vl vista/vis well/wl wells/wls road/rd avenue/ave boulevard/blvd court/ct
drive/dr lane/ln place/pl street/st
"""


@cache
def street_words() -> dict[str, str]:
    """Folded part of a street line -> its other spelling: suffixes (USPS Publication 28), directions, units."""
    pairs = [(full.lower(), short.lower()) for full, short in street_suffixes()]
    pairs += [("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("apartment", "apt"), ("suite", "ste")]
    pairs += [("saint", "st"), ("mount", "mt"), ("building", "bldg"), ("floor", "fl"), ("northeast", "ne")]
    pairs += [("northwest", "nw"), ("southeast", "se"), ("southwest", "sw"), ("parkway", "pkwy"), ("highway", "hwy")]
    pairs += [("circle", "cir"), ("terrace", "ter"), ("trail", "trl"), ("square", "sq"), ("heights", "hts")]
    pairs += [(full, short) for full, short in (pair.split("/") for pair in _SUFFIXES.split())]
    table = {short: full for full, short in reversed(pairs)}
    table.update(dict(pairs))
    table["st"] = "street"
    return table
