"""Who answers a question in SQL: Spark, and DuckDB where it is installed, over the Parquet files of one folder a table."""

from __future__ import annotations

import glob
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import SparkSession

#: Two of Spark's words, so that one text of a question is both engines'.
DUCKDB_WORDS = (
    "CREATE MACRO explode(items) AS unnest(items)",
    "CREATE MACRO datediff(later, earlier) AS date_diff('day', earlier, later)",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is counted by, and how many there are of each, in order."""

    names: tuple[str, ...]
    counts: dict[tuple[Any, ...], int]

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.counts.values())


class Asker(Protocol):
    """An engine: its name, and its answer to SQL whose last column is a count, over folders by the names of their tables."""

    @property
    def name(self) -> str:
        """The engine and its version."""

    def ask(self, sql: str, folders: Mapping[str, str]) -> Answer:
        """The answer."""


@dataclass(frozen=True, slots=True)
class SparkAsker:
    """Spark SQL, in a session that is there."""

    spark: SparkSession

    @property
    def name(self) -> str:
        """The engine and its version."""
        return f"Spark {self.spark.version}"

    def ask(self, sql: str, folders: Mapping[str, str]) -> Answer:
        """The answer."""
        for table, folder in folders.items():
            self.spark.read.parquet(folder).createOrReplaceTempView(table)
        asked = self.spark.sql(sql)
        return _answer(asked.columns, [tuple(row) for row in asked.collect()])


@dataclass(frozen=True, slots=True)
class DuckAsker:
    """DuckDB, in memory, over files of this machine."""

    version: str

    @property
    def name(self) -> str:
        """The engine and its version."""
        return f"DuckDB {self.version}"

    def ask(self, sql: str, folders: Mapping[str, str]) -> Answer:
        """The answer."""
        import duckdb  # noqa: PLC0415 (not part of the program)

        # What is installed is all that is asked: no extension is fetched.
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            for words in ("SET TimeZone = 'UTC'", *DUCKDB_WORDS):
                connection.execute(words)
            for table, folder in folders.items():
                connection.read_parquet(f"{glob.escape(folder)}/**/*.parquet").create_view(table)
            asked = connection.execute(sql)
            return _answer([column[0] for column in asked.description or ()], asked.fetchall())


def duckdb_asker() -> DuckAsker | None:
    """DuckDB, if it is installed."""
    if importlib.util.find_spec("duckdb") is None:
        return None
    import duckdb  # noqa: PLC0415 (not part of the program)

    return DuckAsker(duckdb.__version__)


def _answer(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Answer:
    return Answer(tuple(names[:-1]), {row[:-1]: row[-1] for row in rows})
