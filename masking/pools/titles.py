"""The closed lists of name prefixes and suffixes that may pass: nothing outside them is ever kept.

A title narrows nobody down as long as it is common; rare ones (General, Senator, Rabbi, Dame) are left out on purpose.
"""

from __future__ import annotations

from typing import Final

#: Folded prefix -> the administrative gender it implies, or None. "Dr." says nothing about sex, "Mrs." does.
PREFIXES: Final[dict[str, str | None]] = {
    **dict.fromkeys(("mr", "mister", "herr", "master"), "male"),
    **dict.fromkeys(("mrs", "ms", "miss", "frau", "mme", "mlle"), "female"),
    **dict.fromkeys(("mx", "dr", "doctor", "prof", "professor", "rev", "reverend"), None),
}

_GENERATIONS = "jr sr junior senior ii iii iv"
_DEGREES = (
    "md do mbbs dds dmd dvm dpm od dc phd psyd pharmd dnp dpt edd jd esq rn lpn lvn np fnp aprn crna cnm cns pa pac "
    "pt ot slp rd lcsw lmft lpc msw mph mba ms ma ba bs bsn msn mpas rph faap facc facog facp facs faafp"
)
#: Folded suffixes: generations and degrees.
SUFFIXES: Final[frozenset[str]] = frozenset((_GENERATIONS + " " + _DEGREES).split())

#: Suffixes that read like an ordinary name or initial: kept where a suffix is declared, never guessed in a full name.
_NAME_LIKE = "ma ba do pa pt ot rd np od dc ms junior senior"
GUESSABLE_SUFFIXES: Final[frozenset[str]] = SUFFIXES - frozenset(_NAME_LIKE.split())

_SURE_PARTICLES = "de la las los del della dos das von van der den dem ter zu zum zur af av y bin bint ibn"
_NAME_LIKE_PARTICLES = "di da do du des le ten te e el al ben abu st saint san santa"
#: Words inside a family name that belong to a language, not to a person. The last word of a name is never one of them.
PARTICLES: Final[frozenset[str]] = frozenset(f"{_SURE_PARTICLES} {_NAME_LIKE_PARTICLES}".split())
#: Those that are nobody's given name: the ones to trust where nothing says which words are the family name.
GUESSABLE_PARTICLES: Final[frozenset[str]] = frozenset(_SURE_PARTICLES.split())


def fold_title(token: str) -> str:
    """A title without its case, dots, hyphens and spaces: 'Ph.D.' and 'PHD' are one."""
    return token.casefold().replace(".", "").replace("-", "").replace(" ", "").replace(",", "")
