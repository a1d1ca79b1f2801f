"""Words that say what stands beside them: labels of numbers, titles, months; and names that are words as well."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from masking.pools.load import street_suffixes
from masking.pools.titles import PREFIXES
from masking.scrub.scan import WORDS, Table

MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())  # noqa: SIM905

#: Labels of identifiers -> what they label. Those in `WEAK` stand before other numbers too.
LABELS: dict[str, str] = {
    **dict.fromkeys(("mrn", "mr", "emr", "chart", "emrn", "umrn", "empi", "pid"), "mrn"),
    **dict.fromkeys(("acct", "account", "accounts", "iban", "routing", "har", "csn", "fin"), "account"),
    **dict.fromkeys(("member", "subscriber", "policy", "insurance", "medicare", "medicaid", "mbi"), "health_plan"),
    **dict.fromkeys(("hic", "hicn", "beneficiary", "payer", "group"), "health_plan"),
    **dict.fromkeys(("license", "licence", "lic", "dl", "certificate", "cert"), "license"),
    **dict.fromkeys(("plate", "plates", "tag", "car", "vehicle", "truck", "van"), "plate"),
    **dict.fromkeys(("serial", "sn", "n", "udi", "device", "pacemaker", "implant", "imei"), "device"),
    **dict.fromkeys(
        ("record", "case", "claim", "invoice", "accession", "encounter", "visit", "confirmation"), "identifier"
    ),
    **dict.fromkeys(("passport", "badge", "employee", "identifier", "id", "file", "specimen", "auth"), "identifier"),
    **dict.fromkeys(("authorization", "referral", "order"), "identifier"),
    **dict.fromkeys(("rx",), "identifier"),
    "vin": "vin",
    "npi": "npi",
    "dea": "dea",
    **dict.fromkeys(("ssn", "social", "ss", "sss", "ssan"), "ssn"),
    **dict.fromkeys(("dob", "born", "birthdate", "birthday", "birth"), "birth_date"),
    **dict.fromkeys(("phone", "tel", "telephone", "fax", "cell", "mobile", "pager", "call", "ph", "ext"), "phone"),
    "zip": "zip",
}
WEAK = frozenset(
    "mr chart har fin group insurance medicare medicaid payer policy member tag car vehicle truck van device pacemaker "
    "implant record case claim invoice encounter visit confirmation badge employee id file specimen auth authorization "
    "referral order rx lic license licence certificate cert account accounts ss sn social hic plates identifier".split()  # noqa: SIM905
)
#: These say what a number is only beside a word such as 'number' or a mark such as '#'.
BARE = frozenset(
    "mr group visit case order device implant pacemaker record file id employee social ss member policy specimen "
    "referral chart har fin claim encounter confirmation auth badge tag payer authorization rx sn invoice hic".split()  # noqa: SIM905
)
TITLES = frozenset(PREFIXES) - {"master", "miss", "rev"} | {"nurse"}

WWW, MONTH, WEEKDAY, TITLE, SPELLED, LABEL = WORDS, WORDS - 1, WORDS - 2, WORDS - 3, WORDS - 4, WORDS - 5


@cache
def words() -> Table:
    """The vocabulary's table: the code of a word that is found is one of the constants above."""
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
    classes["ninety"] = classes["hundred"] = 4
    for label in LABELS:
        classes.setdefault(label, 5)
    return Table(list(classes), [-1 - number for number in classes.values()])


#: Names that are English words too: names only where they stand as such.
_COMMON = """
abbey ace alma amber angel april archer art arrow ash aspen august aurora autumn avery baker banks bay bean bear bell
belle berry bill birch bird bishop black blank bliss block bloom blue bolt bond boon booker booth bowman brand brave
bridge bridges brook brooks brown buck bud bull burden burn bush butler butter buster candy cane cannon carbon care
carol carpenter carter case cash castle chance chandler chapel charity chase cherry christian chip church clark clay
clear cliff cloud coal cole cook cooper coral cotton crane creek crisp cross crow crystal curry dale dan daisy dash
dawn day dean dear deck destiny dick dill dolly don dot dove drake dream drew drummer duke dusty early earl east eden
elder ember ever faith fall farmer fawn fern field finch fisher fish flint flora florence flower forest forrest
fortune foster fountain fox francis frank freeman fresh friend frost gale gap garden gay gene gentry genesis gill
ginger glass glen glory gold golden good goodman grace grant graves gray green grey grove guest gun guy hall hand
hardy harm harmony harp harvest haven hawk hay hays hazel head heath heather heaven hedge herb heron hill hoffman
holiday holly honey hood hope horn house hunt hunter ice ink iris irons iron ivory ivy jack jade jasmine 
jewel job joy jolly journey judge june just justice key keys king kitty knight lace lake lamb lance land lane lark law
laurel lawn lawyer lee lent les liberty lily lincoln link little lock lodge long loop lot love low lucky luna lush
lynch major man mantle maple march marina mark marks marsh marshall martin mason master may mayor mead meadow meek
melody mercer mercy merit merry mick miles mill miller mills mint misty mitt monday moon moore moral more morning moss
mullen myrtle nail nan neal nelson new nick noble noel nova north norm novel oak ocean olive opal orange page paige
paint palm paris park parks parish parson parsons past pat patience patty peace peach peak pearl peg penny pepper
percy perry phoenix piper pike pine pitt place pleasant plumb plum pool poole poor pope poppy porter post potter pound
powell power powers pratt precious presley price pride prince princess proper quill quest rain raines rainbow ram
randy ransom raven ray read red reed reader reason rice rich ridge riley ripple rivers river rob robin rock rod rose
roman rosemary rowan royal ruby rue rush russet rusty ruth sable sage sailor sales sandy sands savage savanna
sawyer scarlet scarlett sea season self serenity sergeant sexton shade shaw shields ship shore short silver singer sky
skinner sloan sly small smart smith snow sol song sparks spears speed spencer spring spruce stall star stark steel
steele sterling stern stewart still stone storm street strong sue sugar summer summers sunny sunday sweet swan swift
taylor teal ted temple tender terry thorn thrush thyme tiger toll toni topaz town tracy trail travel tree
trinity troy true tucker turner tuesday twist tyler underwood unique urban usher vale valentine vance vera verity
victor victory violet virgin wade walker wall walls ward ware warner warren waters watts way wayne weaver webb weeks
well wells west wheat wheeler white wild will willow wills wilt winner winter winters wise wolf wood woods worth wren
wright yes york young youngs kay max al ed bo an do so no le la de van mi my you he she her
his him one two six ten ma pa ha ho hu bi si su to too than thi been roy buddy sonny
chuck pierce skip rip tad sparrow charm comfort constance patient pain rash large person health nurse doctor home
male female tall old bright blind lame stout moody coffin grave slaughter payne sick heal
reading mobile bath independence orange enterprise normal lead wasp wing
""".split()  # noqa: SIM905
#: Words of the clinic (and of the calendar of race and colour): a capital alone does not make names of them.
_CLINICAL = frozenset(
    "pain rash ward wall good small church white black hall head hand case care long short young person health nurse "
    "doctor home male female large fall burn well still self sick patient old gap hood key horn block case lance "
    "mark will may page job art day law case rush stall lock major blue red gray grey green silver gold low more "
    "new past one two six ten no so do an he she his her him my you to too than been yes has had all any and the for "
    "but not are was day days week weeks month year ray can see case main post read price post place street house "
    "blank marks grave bill sales order strong temple palm nail chance rice bean ham fish cotton glass ice iron "
    "carbon wheeler walker power key low bright blind mill east west north south royal spring summer winter "
    "autumn fall bridge crown block cross".split()  # noqa: SIM905
) - {"young", "may", "mark", "will", "art", "bill", "summer", "day", "walker", "west", "wheeler", "long"}
COMMON = frozenset(_COMMON) | _CLINICAL

#: Names that diseases, signs and devices bear.
EPONYMS = frozenset(
    "addison alzheimer apgar asperger babinski barrett bartholin bell bowen braden chagas charcot crohn cushing down "
    "dupuytren ewing fallot foley glasgow gleason gram graves grave guillain hansen hashimoto hodgkin holter homan homans horner "
    "huntington jones kaposi kawasaki kegel kelly kernig klinefelter korsakoff lewy lyme marfan mcburney mallory murphy "
    "osgood paget parkinson perthes peyronie phalen raynaud reiter reye reed rinne romberg rorschach sjogren smith stokes "
    "swan tay tinel tourette trendelenburg turner valsalva virchow weber wernicke whipple wilms wilson wood yates".split()  # noqa: SIM905
)
_EPONYMOUS = re.compile(
    r"(?:['’]?s)?[\s-]+(?:(?:type|cell|body|bodies|de|la|barr[eé]|weiss|sternberg|hodgkin|palsy|lamp|ganz|score|scale|"
    r"sign|test|disease|syndrome|thyroiditis|lymphoma|sarcoma|tumou?r|contracture|phenomenon|esophagus|oesophagus|"
    r"catheter|monitor|fracture|exercises?|man[oe]euv[er]+|stain|coma|ophthalmopathy|encephalopathy|chorea|gland|cyst|"
    r"tetralogy|paralysis|neuroma|node|position|point|triad|reflex|dementia|esophagitis|clamp|forceps|retractor)\b)",
    re.IGNORECASE,
)


def level_of(folded: str) -> int:
    """How surely a word that is a name is one where it stands: 0 surely, 1 with a capital, 2 beside a name or a title."""
    if folded in _CLINICAL:
        return 2
    return 1 if len(folded) <= 3 or folded in COMMON else 0


def is_eponym(folded: str, text: str, stop: int) -> bool:
    """Whether a name is that of a disease, a sign or a device: `Parkinson's disease`, `Foley catheter`."""
    return folded in EPONYMS and _EPONYMOUS.match(text, stop) is not None


@cache
def nicknames() -> dict[str, tuple[str, ...]]:
    """Folded given name -> its short forms, the commonest first. Compiled for this project; common English usage."""
    table: dict[str, tuple[str, ...]] = {}
    for line in (files("masking.scrub") / "data" / "nicknames.csv").read_text("utf-8").splitlines():
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
    pairs: list[tuple[str, ...] | list[str]] = [(full.lower(), short.lower()) for full, short in street_suffixes()]
    pairs += [("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("apartment", "apt"), ("suite", "ste")]
    pairs += [("saint", "st"), ("mount", "mt"), ("building", "bldg"), ("floor", "fl"), ("northeast", "ne")]
    pairs += [("northwest", "nw"), ("southeast", "se"), ("southwest", "sw"), ("parkway", "pkwy"), ("highway", "hwy")]
    pairs += [("circle", "cir"), ("terrace", "ter"), ("trail", "trl"), ("square", "sq"), ("heights", "hts")]
    pairs += [pair.split("/") for pair in _SUFFIXES.split()]
    table = {short: full for full, short in reversed(pairs)}
    table.update({full: short for full, short in pairs})
    table["st"] = "street"
    return table
