"""`run --in-place`: what would be done, doing it, and undoing it."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from dataclasses import dataclass

from pyspark.sql import SparkSession

from masking import storage
from masking.commands.carry import on_spark
from masking.commands.job import Order
from masking.commands.options import DEFAULT_POLICY, DEFAULT_PROJECT, keyring
from masking.commands.risking import settings_of
from masking.commands.run import QUARANTINED
from masking.commands.screen import Screen, counted, size
from masking.commands.summary import show_facts, show_summary
from masking.commands.verdict import show_verdict
from masking.commands.verifying import facts_of
from masking.document import Engine
from masking.errors import UsageError
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import MadeWith, choose_reference_date
from masking.sources.parquet import Hints
from masking.spark import RunSettings
from masking.spark.inplace.judge import refuse_unverified, verify_staged
from masking.spark.inplace.mark import marked_runs
from masking.spark.inplace.run import FileNames, InPlace, InPlaceResult, mask_in_place
from masking.spark.inplace.sources import Sources, disk_needed, find_sources, roots_of
from masking.spark.inplace.stage import Staged
from masking.spark.inplace.undo import Undone, undo_in_place
from masking.spark.progress import Progress
from masking.spark.read import refuse_key_place

_LEFT = "no file is half replaced; run it again"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A run in place that nothing but Spark and the data can stop."""

    order: Order
    phi_area: str
    engine: Engine
    made_with: MadeWith
    settings: RunSettings
    how: InPlace


def run_in_place(order: Order, arguments: Namespace, screen: Screen) -> int:
    """Do what was ordered, if it was meant."""
    assert order.phi_area is not None
    phi_area = storage.normalize(order.phi_area)
    if arguments.undo:
        return _undo(order, phi_area, arguments.yes, screen)
    prepared = _prepare(order, phi_area)
    sources = _find(prepared)
    if not arguments.yes:
        _tell_what_would_be(prepared, sources, screen)
        raise UsageError(
            "nothing is done without --yes: the files of the source would be replaced, and what they hold now would be "
            "lost" + (" but for the kept originals" if order.keep_originals else "; --keep-originals DIR keeps them")
        )
    storage.probe(phi_area, "PHI area")
    screen.say(
        f"Masking {counted(len(sources.inputs.files), 'file')}, {size(sources.inputs.bytes)}, in place, "
        f"under {prepared.made_with.policy}"
    )

    def work(spark: SparkSession, progress: Progress) -> InPlaceResult:
        def judge(staged: Staged) -> None:
            screen.say("Verifying: reading the source for what identifies people, then all that was masked")
            facts = facts_of(prepared.engine.plan.policy)
            done = verify_staged(
                spark, staged, phi_area, facts, settings_of(order.quasi_identifiers, order.k, order.population)
            )
            show_verdict(screen, done.verdict, done.report, done.findings)
            refuse_unverified(done)

        return mask_in_place(
            spark,
            order.source,
            phi_area,
            engine=prepared.engine,
            made_with=prepared.made_with,
            settings=prepared.settings,
            how=prepared.how,
            judge=None if arguments.no_verify else judge,
            progress=progress,
            notice=screen.say,
        )

    # An unreadable file is named on the PHI side: its number counts those that are still to be masked, not all.
    result = on_spark(screen, order.master, order.conf, (), work, _LEFT)
    _show(result, screen)
    return QUARANTINED if result.quarantine else 0


def _undo(order: Order, phi_area: str, is_meant: bool, screen: Screen) -> int:
    """Put originals back; it needs no key."""
    if not is_meant:
        raise UsageError("nothing is done without --yes: the masked files would be replaced by the kept originals")

    def work(spark: SparkSession, _: Progress) -> Undone:
        return undo_in_place(spark, order.source, phi_area)

    done = on_spark(screen, order.master, order.conf, (), work, _LEFT)
    screen.say(f"Run {done.run_id} is undone: {counted(done.files, 'file')} as before it")
    if done.earlier:
        screen.say(f"{counted(done.earlier, 'earlier run')} over these files; --undo again undoes the one before")
    return 0


def _find(prepared: _Prepared) -> Sources:
    keep = storage.normalize(prepared.how.keep_originals) if prepared.how.keep_originals else None
    return find_sources(
        prepared.order.source,
        prepared.phi_area,
        keep=keep,
        leave_others=prepared.how.leave_others,
        hints=Hints(prepared.settings.json_column),
    )


def _prepare(order: Order, phi_area: str) -> _Prepared:
    """Check and compile what was ordered. Raises whatever `MaskingError` applies."""
    if order.key_file is not None:
        refuse_key_place(order.key_file, order.source, None)
    keys = keyring(order.key_file, order.key_env, order.project)
    reference_date = choose_reference_date(None, order.on or _last_date(order, keys.fingerprint))
    policy = read_policy(DEFAULT_POLICY if order.policy is None else order.policy, reference_date=reference_date)
    plan = Plan(policy, keys)
    settings = RunSettings(allow_other_key=order.allow_other_key, json_column=order.json_column or "")
    engine = Engine(plan)
    if order.max_document_bytes is not None:
        settings = dataclasses.replace(settings, line_bytes=order.max_document_bytes)
        engine = Engine(plan, max_bytes=order.max_document_bytes)
    made_with = MadeWith(
        policy=policy.name,
        policy_sha256=policy.sha256,
        key_fingerprint=keys.fingerprint,
        project=DEFAULT_PROJECT if order.project is None else order.project,
        reference_date=reference_date,
    )
    names: FileNames = "rename" if order.rename_files else "keep" if order.keep_file_names else "check"
    return _Prepared(
        order,
        phi_area,
        engine,
        made_with,
        settings,
        InPlace(order.keep_originals, order.leave_others, names, order.keep_people),
    )


def _last_date(order: Order, fingerprint: str) -> str | None:
    """The day as of which ages were kept when files beside these were masked with this key."""
    runs = [run for run in marked_runs(roots_of(order.source), ()) if run.made_with.key_fingerprint == fingerprint]
    return max(runs, key=lambda run: run.run_id).made_with.reference_date if runs else None


def _tell_what_would_be(prepared: _Prepared, sources: Sources, screen: Screen) -> None:
    """Sizes and places; no file by its name, for names hold names."""
    inputs = sources.inputs
    needed = f"about {size(disk_needed(inputs))} in the PHI area, for a while"
    if prepared.how.keep_originals:
        needed += f"; {size(inputs.bytes)} for the originals"
    lines = [
        ("Would replace", f"{counted(len(inputs.files), 'file')}, {size(inputs.bytes)}, but those that are masked already"),
        ("In", ", ".join(sources.roots)),
        ("Disk", needed),
        ("Originals", f"kept in {prepared.how.keep_originals} (PHI)" if prepared.how.keep_originals else "lost"),
        ("Made with", f"policy {prepared.made_with.policy}, key {prepared.made_with.key_fingerprint}, "
                      f"project {prepared.made_with.project}"),
        ("Ages as of", prepared.made_with.reference_date),
    ]  # fmt: skip
    screen.show_lines(lines)


def _show(result: InPlaceResult, screen: Screen) -> None:
    if result.manifest is None:
        screen.say(f"All {counted(result.already, 'file')} are masked with this key already; nothing was done")
        return
    show_summary(screen, result.manifest)
    places = [("Replaced", f"{counted(len(result.manifest.files), 'file')}" + _beside(result))]
    places.append(("Journal", f"{result.folder} (PHI)"))
    if result.kept:
        places.append(("Originals", f"{result.kept} (PHI)"))
    if result.quarantine:
        places.append(("Quarantine", f"{result.quarantine} (PHI)"))
    show_facts(screen, result.manifest, places)


def _beside(result: InPlaceResult) -> str:
    return f"; {result.already:,} were masked already and stay" if result.already else ""
