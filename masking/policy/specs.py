"""What a policy says, as frozen data: the contract between the YAML reader and the plan compiler.

Nothing here reads files or knows FHIR; `masking.policy.read` builds these and reports every problem with its place,
`masking.policy.plan` turns them into an answer for each element of each type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masking.maskers.base import Masker  # the maskers take a second to import, and job files need none


class Action(StrEnum):
    """What a rule does with an element."""

    KEEP = "keep"  #: a primitive: the very bytes; a complex element: its primitives are kept unless a closer rule says otherwise
    REDACT = "redact"  #: gone; where R4 demands a value, a data-absent-reason extension stands in its place
    MASK = "mask"  #: a masker maps it


class TypeAction(StrEnum):
    """What a policy does with a whole resource type."""

    MASK = "mask"  #: rule by rule
    KEEP = "keep"  #: primitives that no closer rule names are kept (for definitions that hold no patient data)
    REDACT = "redact"  #: nothing of it is written; its lines are counted as dropped by policy
    REFUSE = "refuse"  #: its lines go to quarantine


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file a rule stands; `path` is the place inside the YAML, as in `$.rules["Patient.birthDate"]`."""

    file: str
    line: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One answer: an action, its masker if it has one, the reason, and where it is written."""

    action: Action
    place: Place
    masker: Masker | None = None
    why: str = ""
    #: on redaction: always leave a data-absent-reason where the value stood, not only where R4 demands a value
    absent: bool = False


#: Primitives that can spell no name and tell no date.
CODED = frozenset({"boolean", "code", "decimal", "integer", "positiveInt", "unsignedInt"})


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """The rule for an extension's `value[x]`, and for the extensions nested in it, by their (relative) URL.

    Who sends an extension chooses the type of its value, so a keep passes `CODED` alone: a name or a date that stands
    where a code belongs is ruled as any text or date is. `types` names what else the keep is meant for.
    """

    rule: Rule
    types: tuple[str, ...] = ()
    parts: Mapping[str, ExtensionRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdentifierRules:
    """Rules for `Identifier.value`: by `system`, then by `type.coding.code`, then the default."""

    systems: Mapping[str, Rule]
    types: Mapping[str, Rule]
    default: Rule


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What is done with a resource type, why, and where it is written."""

    action: TypeAction
    place: Place
    why: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, `extends` resolved: later files overrule earlier ones rule by rule.

    `rules` keys, from the most to the least specific:
      `Patient.contact.name.family`  a path of one resource type
      `*.subject`                    a path within any resource type
      `HumanName.family`             an element of a data type, wherever the type is used
      `HumanName`, `date`            a data type, complex or primitive
    """

    name: str
    description: str
    files: tuple[str, ...]
    sha256: str
    types: Mapping[str, TypeRule]
    other_types: TypeRule
    rules: Mapping[str, Rule]
    extensions: Mapping[str, ExtensionRule]
    identifiers: IdentifierRules
    #: code systems whose displays (and texts that repeat them) are kept; a trailing `*` matches any rest
    code_systems: tuple[str, ...]
    #: for displays, and texts of concepts, that none of them vouches for: the policy's own, else that of `string`
    other_texts: Rule | None = None
    #: URIs of definitions and kinds of numbers that `public_uri` keeps; a trailing `*` matches any rest
    publishers: tuple[str, ...] = ()
    #: where each entry of `code_systems` and `publishers` stands, by the name of the list and the entry
    listed: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    #: labels added to `meta.security`: HL7 v3-ObservationValue codes
    labels: bool = True
