"""Mask an export: NDJSON or Bundles in, masked NDJSON and Parquet tables out, with a manifest.

SOURCE is a file, a folder (searched at any depth) or a glob; there may be several. Accepted are *.ndjson and *.jsonl
with a document a line, and *.json that is one document, such as a Bundle; also with .gz, .bz2 or .zst behind.
DESTINATION takes what is masked. The PHI area takes what could not be masked; it lies outside DESTINATION.

Everything can stand in a job file too (--job); the command line wins. The key comes from --key-file or --key-env.
"""

from __future__ import annotations

import contextlib
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping

from pyspark.sql import SparkSession

from masking import storage
from masking.commands.interrupt import Interruptible
from masking.commands.job import order_of
from masking.commands.options import add_key, add_policy
from masking.commands.prepare import Prepared, prepare
from masking.commands.progress import Progressing
from masking.commands.quiet import QuietStart, hush_accumulators
from masking.commands.screen import Screen, counted, duration, size
from masking.commands.sparkfailed import failed, gone
from masking.commands.summary import show_facts, show_summary
from masking.commands.unreadable import told_by_name
from masking.commands.verdict import exit_code, show_verdict
from masking.commands.verifying import verify_run
from masking.errors import UnreadableFile
from masking.report.manifest import MANIFEST
from masking.report.verdict import Verdict
from masking.session import open_session, with_delta
from masking.spark import RunResult, Snapshot, mask

USAGE = "fhir-mask run SOURCE … DESTINATION --phi-area DIR [--key-file F | --key-env NAME] [options]"
QUARANTINED = 3


def add_arguments(parser: ArgumentParser) -> None:
    """What `run` takes."""
    parser.add_argument("paths", metavar="SOURCE … DESTINATION", nargs="*")
    parser.add_argument("--phi-area", metavar="DIR", help="where lines go that cannot be masked, with their PHI")
    parser.add_argument("--job", metavar="FILE", help="a job file (conf/jobs/local.yaml shows one)")
    add_policy(parser)
    add_key(parser)
    parser.add_argument("--types", metavar="T,…", help="mask these types alone; others are dropped and counted")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: spark-submit's, else this machine)")
    parser.add_argument("--conf", metavar="K=V", action="append", help="a setting of Spark; may be given again")
    parser.add_argument(
        "--max-document-bytes", metavar="N", help="longer lines and *.json files go to quarantine (also 64M)"
    )
    parser.add_argument("--target-file-bytes", metavar="N", help="size at which an output file is finished (also 64M)")
    parser.add_argument(
        "--bundles", metavar="keep|split", help="split: write the resources of Bundles, not the Bundles"
    )
    parser.add_argument("--verify", action="store_true", help="then look for what leaked (fhir-mask verify)")
    parser.add_argument(
        "--formats", metavar="F,…", help="ndjson[,parquet[,delta]]: also typed tables (default: ndjson,parquet)"
    )
    parser.add_argument(
        "--partition-by", metavar="auto|none|year|T,…", help="tables in a folder a year (auto: very large ones)"
    )
    parser.add_argument("--resource-column", action="store_true", help="tables also have each resource's whole JSON")
    parser.add_argument("--change-feed", action="store_true", help="new Delta tables keep a change data feed")
    parser.add_argument(
        "--allow-other-key", action="store_true", help="write beside output that was made with another key"
    )


def run(arguments: Namespace, screen: Screen) -> int:
    """Prepare, mask, tell."""
    prepared = prepare(order_of(arguments))
    result = carry_out(prepared, screen)
    try:
        show_summary(screen, result.manifest)
        show_facts(screen, result.manifest, places(result))
        screen.flush()
    except OSError:  # the run is published, whoever reads of it or not
        screen.give_up_broken()
        screen.warn(
            f"the summary cannot be written; run {result.run_id} is published: fhir-mask status {result.destination}"
        )
    if arguments.verify:
        verdict = verified(prepared, result, screen)
        if not verdict.verified:
            return exit_code(verdict)
    return QUARANTINED if result.quarantine else 0


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
    )
    show_verdict(screen, done.verdict, done.report, done.findings)
    return done.verdict


def carry_out(prepared: Prepared, screen: Screen) -> RunResult:
    """Run on Spark, with progress. Raises `SparkFailed` where Spark itself fails."""
    inputs = prepared.inputs
    screen.say(f"Masking {counted(len(inputs.files), 'file')}, {size(inputs.bytes)}, under {prepared.made_with.policy}")
    was_active = SparkSession.getActiveSession() is not None
    started = time.monotonic()
    java = QuietStart()
    try:
        with java:
            spark = open_session(prepared.order.master, _conf(prepared))
        hush_accumulators()
        screen.say(f"Spark {spark.version} is ready after {duration(time.monotonic() - started)}", "dim")

        def stopping() -> None:
            java.mute()
            screen.say("Stopping; once more to stop at once", "yellow")

        try:
            with Interruptible(spark.sparkContext.cancelAllJobs, stopping), Progressing(screen, "Masking") as bar:
                return mask(
                    spark,
                    prepared.order.source,
                    prepared.destination,
                    prepared.phi_area,
                    engine=prepared.engine,
                    made_with=prepared.made_with,
                    settings=prepared.settings,
                    progress=_progress(bar),
                    notice=screen.say,
                )
        finally:
            if not was_active:
                _stop(spark)
    except UnreadableFile as error:
        raise told_by_name(error, [file.path for file in inputs.files], screen.err.is_terminal) from None
    except BrokenPipeError:  # whoever read what we say has gone; to Java it would be an error of py4j's
        raise
    except (ConnectionError, EOFError):  # of storage, `naming` lets none come so far
        raise gone() from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        raise failed(error) from None


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
