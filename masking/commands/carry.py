"""Carry out a run that is prepared: on Spark, with progress, and hold it against its source when asked.

Apart from the command, for Spark takes a second or two to import, and what is wrong with a call is told before that.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pyspark.sql import SparkSession

from masking import storage
from masking.commands.interrupt import Interruptible
from masking.commands.prepare import Prepared
from masking.commands.progress import Progressing
from masking.commands.quiet import QuietStart, hush_accumulators
from masking.commands.risking import settings_of
from masking.commands.screen import Screen, counted, duration, size
from masking.commands.sparkfailed import failed, gone
from masking.commands.unreadable import told_by_name
from masking.commands.verdict import show_verdict
from masking.commands.verifying import verify_run
from masking.errors import UnreadableFile
from masking.report.manifest import MANIFEST
from masking.report.verdict import Verdict
from masking.session import is_submitted, open_session, with_delta
from masking.spark import RunResult, Snapshot, mask
from masking.spark.increments import show_latest
from masking.spark.progress import Progress
from masking.spark.unfinished import clear_leftovers, forget_leftovers


def verified(prepared: Prepared, result: RunResult, screen: Screen) -> Verdict:
    """Hold the run that has just ended against its source, and tell the verdict."""
    order = prepared.order
    done = verify_run(
        list(order.source),
        prepared.destination,
        prepared.phi_area,
        prepared.engine.plan.policy,
        screen,
        run_id=result.run_id,
        master=order.master,
        conf=dict(order.conf),
        risk=settings_of(order.quasi_identifiers, order.k, order.population),
    )
    show_verdict(screen, done.verdict, done.report, done.findings)
    return done.verdict


def _close(prepared: Prepared, screen: Screen) -> None:
    """End an incremental run that found nothing to read: what killed runs left is cleared, and readers see the latest."""
    assert prepared.drop is not None
    leftovers = clear_leftovers(prepared.destination, prepared.phi_area)
    for leftover in leftovers:
        if not leftover.known:
            screen.say(str(leftover))
    show_latest(prepared.destination, prepared.drop)
    forget_leftovers(prepared.destination, prepared.phi_area, leftovers)
    screen.say(str(prepared.drop))


def carry_out(prepared: Prepared, screen: Screen) -> RunResult | None:
    """Run on Spark, with progress; None where an incremental run found nothing new. Raises `SparkFailed` where Spark fails."""
    if prepared.drop is not None and prepared.drop.is_empty and "delta" not in prepared.settings.formats.split(","):
        _close(prepared, screen)  # no table may have to be brought up to the runs before: Spark is not needed
        return None
    result = _masked(prepared, screen)
    return result if result.is_new else None


def _masked(prepared: Prepared, screen: Screen) -> RunResult:
    inputs = prepared.inputs
    if inputs.files:
        what = f"{counted(len(inputs.files), 'file')}, {size(inputs.bytes)}"
        screen.say(f"Masking {what}, under {prepared.made_with.policy}")

    def work(spark: SparkSession, progress: Progress) -> RunResult:
        return mask(
            spark,
            prepared.order.source,
            prepared.destination,
            prepared.phi_area,
            engine=prepared.engine,
            made_with=prepared.made_with,
            settings=prepared.settings,
            progress=progress,
            notice=screen.say,
            subjects=prepared.order.subjects,
        )

    return on_spark(screen, prepared.order.master, _conf(prepared), [file.path for file in inputs.files], work)


T = TypeVar("T")


def on_spark(
    screen: Screen,
    master: str | None,
    conf: Mapping[str, str],
    files: Sequence[str],
    work: Callable[[SparkSession, Progress], T],
    left: str = "nothing was published",
) -> T:
    """Do something on Spark that takes its time and can be interrupted.

    files: the source's, in order of name. left: how things are when Spark fails. Raises `SparkFailed` then.
    """
    was_active = SparkSession.getActiveSession() is not None
    started = time.monotonic()
    java = QuietStart()
    try:
        if master is not None and is_submitted():
            screen.warn("spark-submit's master counts; the one of the job is passed over")
        with java:
            spark = open_session(master, conf)
        hush_accumulators()
        screen.say(f"Spark {spark.version} is ready after {duration(time.monotonic() - started)}", "dim")

        def stopping() -> None:
            java.mute()
            screen.say("Stopping; once more to stop at once", "yellow")

        try:
            with Interruptible(spark.sparkContext.cancelAllJobs, stopping), Progressing(screen, "Masking") as bar:
                return work(spark, _progress(bar))
        finally:
            if not was_active:
                _stop(spark)
    except UnreadableFile as error:
        raise told_by_name(error, files, screen.err.is_terminal) from None
    except BrokenPipeError:  # whoever read what we say has gone; to Java it would be an error of py4j's
        raise
    except (ConnectionError, EOFError):  # of storage, `naming` lets none come so far
        raise gone(left) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        raise failed(error, left) from None


def _conf(prepared: Prepared) -> Mapping[str, str]:
    """What Spark is started with."""
    order = prepared.order
    return with_delta(order.master, order.conf) if "delta" in prepared.settings.formats.split(",") else order.conf


def _stop(spark: SparkSession) -> None:
    """Stop Spark, if there still is one to stop; what comes of that neither undoes a run nor hides why it failed."""
    with contextlib.suppress(Exception):
        spark.stop()


def places(result: RunResult) -> list[tuple[str, str]]:
    """Where things are."""
    found = [("Masked", result.ndjson), ("Manifest", storage.join(result.destination, MANIFEST))]
    if result.parquet:
        found.insert(1, ("Tables", result.parquet))
    if result.delta:
        found.insert(2, ("Delta", result.delta))
    if result.quarantine:
        found.append(("Quarantine", f"{result.quarantine} (PHI)"))
    return found


_STEPS = {"people": "Gathering people", "mask": "Masking"}


def _progress(bar: Progressing) -> Callable[[Snapshot], None]:
    def show(now: Snapshot) -> None:
        rate = now.bytes / now.seconds if now.seconds > 0 else 0
        rest = (now.bytes_total - now.bytes) / rate if rate > 0 else 0
        said = [f"{now.lines:,} resources"]
        if rate:
            said += [f"{size(rate)}/s", f"{duration(rest)} left"]
        if now.quarantined:
            said.append(f"{now.quarantined:,} quarantined")
        bar.update(now.bytes, now.bytes_total, ", ".join(said), _STEPS[now.step])

    return show
