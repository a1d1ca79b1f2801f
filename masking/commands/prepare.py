"""Everything of a run that can fail without Spark, done before Spark starts: key, policy, places, source."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from masking import storage
from masking.commands.job import DEFAULT_FORMATS, Order
from masking.commands.options import DEFAULT_POLICY, DEFAULT_PROJECT, keyring
from masking.document import Engine
from masking.errors import KeyRefused, UsageError
from masking.fhir.elements import resource_types
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.policy.specs import Place, Policy, TypeAction, TypeRule
from masking.report.manifest import FORMATS, MadeWith, Manifest, choose_reference_date, read_manifest, refuse_other_key
from masking.sources.parquet import Hints
from masking.spark import RunSettings
from masking.spark.increments import Drop, find_drop, find_refresh, latest_finished
from masking.spark.read import Inputs, find_inputs, refuse_key_place, refuse_shared_places
from masking.tables.like import OURS

#: In the name of a policy, before the types that it was narrowed to.
TYPES = ", types "


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that nothing but Spark and the data can stop."""

    order: Order
    destination: str
    phi_area: str
    inputs: Inputs
    engine: Engine
    made_with: MadeWith
    settings: RunSettings
    drop: Drop | None = None  # of an incremental run; `inputs` are its


def prepare(order: Order) -> Prepared:
    """Check and compile what was ordered. Raises whatever `MaskingError` applies."""
    assert order.destination is not None and order.phi_area is not None
    destination, phi_area = storage.normalize(order.destination), storage.normalize(order.phi_area)
    refuse_shared_places(destination, phi_area)
    if order.key_file is not None:
        refuse_key_place(order.key_file, order.source, destination)
    keys = keyring(order.key_file, order.key_env, order.project)
    storage.probe(destination, "destination")
    storage.probe(phi_area, "PHI area")
    previous = latest_finished(destination) if order.incremental else read_manifest(destination)
    if not order.allow_other_key:
        try:
            refuse_other_key(previous, keys.fingerprint)
        except KeyRefused as refused:
            raise KeyRefused(f"{refused} (--allow-other-key)") from None
    reference_date = choose_reference_date(previous, order.on)
    policy = read_policy(DEFAULT_POLICY if order.policy is None else order.policy, reference_date=reference_date)
    policy = only(policy, order.types)
    inputs = find_inputs(order.source, destination, phi_area, Hints(order.json_column or ""))
    plan = Plan(policy, keys)
    formats, bundles = _as_before(order, previous)
    settings, engine = RunSettings(allow_other_key=order.allow_other_key, bundles=bundles), Engine(plan)
    settings = dataclasses.replace(
        settings,
        formats=formats,
        partition_by=",".join(order.partition_by) or settings.partition_by,
        resource_column=order.resource_column,
        tables_like=order.tables_like or OURS,
        change_feed=order.change_feed,
        json_column=order.json_column or "",
        incremental=order.incremental,
        reread=order.reread,
        anew=order.anew,
        refresh=order.refresh,
    )
    if order.max_document_bytes is not None:
        settings = dataclasses.replace(settings, line_bytes=order.max_document_bytes)
        engine = Engine(plan, max_bytes=order.max_document_bytes)
    if order.target_file_bytes is not None:
        settings = dataclasses.replace(settings, file_bytes=order.target_file_bytes)
    made_with = MadeWith(
        policy=policy.name,
        policy_sha256=policy.sha256,
        key_fingerprint=keys.fingerprint,
        project=DEFAULT_PROJECT if order.project is None else order.project,
        reference_date=reference_date,
    )
    find = find_refresh if order.refresh else find_drop
    drop = find(inputs, destination, phi_area, made_with, settings) if order.incremental else None
    inputs = inputs if drop is None else drop.inputs
    return Prepared(order, destination, phi_area, inputs, engine, made_with, settings, drop)


def _as_before(order: Order, previous: Manifest | None) -> tuple[str, str]:
    """What is written, and what becomes of Bundles: as was ordered, else, of an incremental run, as the runs before did."""
    asked = order.formats or DEFAULT_FORMATS
    formats, bundles = ",".join(name for name in FORMATS if name in asked), order.bundles or "keep"
    if not order.incremental or order.anew or previous is None or not previous.is_incremental:
        return formats, bundles
    before = {name: str(previous.settings.get(name, "")) for name in ("formats", "bundles")}
    return formats if order.formats else before["formats"], order.bundles or before["bundles"]


def only(policy: Policy, types: Sequence[str]) -> Policy:
    """The policy with all types but these dropped; the policy itself if none is named.

    What it means has changed, so its name and hash do too. `UsageError` if it refuses or drops one of the types.
    """
    if not types:
        return policy
    named = {name: policy.types.get(name, policy.other_types) for name in sorted(set(types))}
    gone = [name for name, rule in named.items() if rule.action in (TypeAction.REFUSE, TypeAction.REDACT)]
    if gone:
        raise UsageError(f"--types: the policy {policy.name} lets no {gone[0]} through")
    dropped = TypeRule(TypeAction.REDACT, Place("--types", 0, "$"), "not among the types that were asked for")
    others = {name: dropped for name in resource_types() if name not in named}
    meaning = hashlib.sha256(f"{policy.sha256} types {','.join(named)}".encode()).hexdigest()
    return dataclasses.replace(
        policy,
        name=f"{policy.name}{TYPES}{', '.join(named)}",
        sha256=meaning,
        types={**named, **others},
        other_types=dropped,
    )
