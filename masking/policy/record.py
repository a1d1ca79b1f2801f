"""What a policy's rules for records make of what is said of them elsewhere: in references, in texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from masking.maskers._known import RecordMaskers
from masking.maskers._numbers import IdentifierMaskers
from masking.maskers.base import BoundMasker
from masking.maskers.generic import Keep
from masking.maskers.references import BoundReference
from masking.maskers.referred import Referred
from masking.policy.specs import Action, IdentifierRules, Policy, Rule


def referred_rules(rules: IdentifierRules) -> IdentifierRules:
    """The rules for the value of an Identifier in a Reference: by system as everywhere; else as the record of whoever has it
    has it, and where no record is known by the type that the Identifier itself says. What redacts redacts here too.
    """
    acts = {(rule.action, repr(rule.masker)) for rule in (rules.default, *rules.types.values())}
    if len(acts) == 1:
        return rules  # whatever a record says, it comes to the same

    def follow(rule: Rule) -> Rule:
        if rule.action is Action.REDACT:
            return rule
        return replace(rule, action=Action.MASK, masker=Referred(rule.masker or Keep()))

    return replace(
        rules, types={code: follow(rule) for code, rule in rules.types.items()}, default=follow(rules.default)
    )


def identifier_maskers(
    policy: Policy, bound: Mapping[str, BoundMasker], system: Rule, kept: BoundMasker
) -> IdentifierMaskers:
    """What references by identifier (`Practitioner?identifier=system|value`) are followed with.

    `system` is the rule for `Identifier.system`, `kept` a masker that changes nothing.
    """

    def masker(rule: Rule) -> BoundMasker | None:
        found = bound[repr(rule.masker)] if rule.masker else kept if rule.action is Action.KEEP else None
        return None if isinstance(found, BoundReference) else found

    systems = {system: masker(rule) for system, rule in policy.identifiers.systems.items()}
    own = bound[repr(system.masker)] if system.masker else kept if system.action is Action.KEEP else None
    types = {code: masker(rule) for code, rule in policy.identifiers.types.items()}
    return IdentifierMaskers(systems, masker(policy.identifiers.default), types, system=own)


#: The rules that mask a record's own values, by what scrubbed texts call them.
_RECORD_RULES = {
    "given": "HumanName.given",
    "family": "HumanName.family",
    "name": "HumanName.text",
    "telecom": "ContactPoint.value",
    "line": "Address.line",
    "city": "Address.city",
    "zip": "Address.postalCode",
    "Organization": "Organization.name",
    "Location": "Location.name",
    "HealthcareService": "HealthcareService.name",
    "Endpoint": "Endpoint.name",
    "birth_date": "Patient.birthDate",
    "date": "date",
    "reference": "Reference.reference",
    "display": "Reference.display",
}


def record_maskers(policy: Policy, bound: Mapping[str, BoundMasker]) -> RecordMaskers:
    """What free text is scrubbed with, so that it shows what the record shows."""

    def masker(rule: Rule | None) -> BoundMasker | None:
        return bound[repr(rule.masker)] if rule is not None and rule.masker else None

    rules = policy.identifiers
    kinds = {kind: masker(policy.rules.get(path)) for kind, path in _RECORD_RULES.items()}
    return RecordMaskers(
        {kind: found for kind, found in kinds.items() if found is not None},
        {system: masker(rule) for system, rule in rules.systems.items()},
        {code: masker(rule) for code, rule in rules.types.items()},
        masker(rules.default),
    )
