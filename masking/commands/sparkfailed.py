"""What is told when Spark itself fails."""

from __future__ import annotations

from pyspark.errors import PySparkException

from masking.errors import MaskingError


class SparkFailed(MaskingError):
    """Spark could not start or gave up; its own log says more than may be repeated here."""

    exit_code = 9


def failed(error: Exception, so: str = "nothing was published") -> SparkFailed:
    """The error for a failure of Spark's; `so` is what it means for what is there."""
    is_gone = type(error).__name__ == "Py4JNetworkError"  # the library itself knows no py4j
    return gone(so) if is_gone else SparkFailed(_told(error, so))


def gone(so: str = "nothing was published") -> SparkFailed:
    """The error for a Spark that is no more."""
    return SparkFailed(
        f"Spark's process has ended, perhaps for want of memory; {so}. With more of it: --conf spark.driver.memory=4g"
    )


def _told(error: Exception, so: str) -> str:
    """A failure of Spark's by its kind: its text may quote the data."""
    kind = type(error).__name__
    java = getattr(error, "java_exception", None)  # of py4j's errors; the library itself knows no py4j
    if java is not None:
        kind = str(java.getClass().getName())
    elif isinstance(error, PySparkException):
        condition = getattr(error, "getCondition", error.getErrorClass)()  # Spark 4's name for it, Spark 3.5's
        kind = f"{kind} {condition}" if condition else kind
    return f"Spark failed ({kind}); {so}. Spark's own log says more: --conf spark.log.level=INFO"
