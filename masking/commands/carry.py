"""Carry out a run that is prepared: on Spark, with progress, and with its failures told by their kind.

Apart from the command, for Spark takes a second or two to import, and what is wrong with a call is told before that.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from masking import storage
from masking.commands.interrupt import Interruptible
from masking.commands.prepare import Prepared
from masking.commands.progress import Progressing
from masking.commands.quiet import QuietStart, hush_accumulators
from masking.commands.screen import Screen, counted, duration, size
from masking.commands.unreadable import told_by_name
from masking.errors import MaskingError, UnreadableFile
from masking.report.manifest import MANIFEST
from masking.session import is_submitted, open_session
from masking.spark import RunResult, Snapshot, mask

_GONE = (
    "Spark's process has ended, perhaps for want of memory; nothing was published. With more of it: "
    "--conf spark.driver.memory=4g"
)


class SparkFailed(MaskingError):
    """Spark could not start or gave up; its own log says more than may be repeated here."""

    exit_code = 9


def carry_out(prepared: Prepared, screen: Screen) -> RunResult:
    """Run on Spark, with progress. Raises `SparkFailed` where Spark itself fails."""
    inputs = prepared.inputs
    screen.say(f"Masking {counted(len(inputs.files), 'file')}, {size(inputs.bytes)}, under {prepared.made_with.policy}")
    was_active = SparkSession.getActiveSession() is not None
    started = time.monotonic()
    java = QuietStart()
    try:
        if prepared.order.master is not None and is_submitted():
            screen.warn("spark-submit's master counts; the one of the job is passed over")
        with java:
            spark = open_session(prepared.order.master, prepared.order.conf)
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
        raise SparkFailed(_GONE) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        raise failed(error) from None


def failed(error: Exception) -> SparkFailed:
    """What is told of a failure of Spark's."""
    is_gone = type(error).__name__ == "Py4JNetworkError"  # the library itself knows no py4j
    return SparkFailed(_GONE if is_gone else _told(error))


def _stop(spark: SparkSession) -> None:
    """Stop Spark, if there still is one to stop; what comes of that neither undoes a run nor hides why it failed."""
    with contextlib.suppress(Exception):
        spark.stop()


def places(result: RunResult) -> list[tuple[str, str]]:
    """Where things are."""
    found = [("Masked", result.ndjson), ("Manifest", storage.join(result.destination, MANIFEST))]
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


def _told(error: Exception) -> str:
    """A failure of Spark's by its kind: its text may quote the data."""
    kind = type(error).__name__
    java = getattr(error, "java_exception", None)  # of py4j's errors
    if java is not None:
        kind = str(java.getClass().getName())
    elif isinstance(error, PySparkException):
        condition = getattr(error, "getCondition", error.getErrorClass)()  # Spark 4's name for it, Spark 3.5's
        kind = f"{kind} {condition}" if condition else kind
    return f"Spark failed ({kind}); nothing was published. Spark's own log says more: --conf spark.log.level=INFO"
