"""Three questions in SQL, asked of the tables of the source and of the masked ones: what an analyst would see of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from rich.text import Text

from masking.commands.screen import Screen, table
from masking.tables.parquet import TableFolder
from masking.tables.whole import table_of

_MOST = 12  # rows shown of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What is counted by, and how many there are of each, in order."""

    names: tuple[str, ...]
    counts: dict[tuple[Any, ...], int]

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose last column is a count, and the table it is asked of. `note`: why the answers may differ."""

    title: str
    resource_type: str
    sql: str
    note: str = ""


def questions(reference_date: str) -> tuple[Question, ...]:
    """The three; ages are as of the day on which masking keeps them."""
    return (
        Question(
            "Patients by sex and age",
            "Patient",
            f"""SELECT gender,
       CASE WHEN age < 18 THEN '0-17' WHEN age < 40 THEN '18-39' WHEN age < 65 THEN '40-64' ELSE '65 and over' END AS age,
       count(*) AS patients
FROM (SELECT gender, floor(months_between(DATE'{reference_date}', main_date) / 12) AS age FROM patient)
GROUP BY 1, 2 ORDER BY 1, 2""",
        ),
        Question(
            "The most frequent conditions",
            "Condition",
            """SELECT coding.system, coding.code, count(DISTINCT patient_id) AS patients
FROM (SELECT patient_id, explode(code.coding) AS coding FROM condition)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10""",
        ),
        Question(
            "Encounters by year",
            "Encounter",
            "SELECT main_year AS year, count(*) AS encounters FROM encounter GROUP BY 1 ORDER BY 1 DESC",
            "days are moved, a patient's all alike: a year may gain what its neighbour loses",
        ),
    )


def source_tables(export: Path, target: Path, types: Sequence[str]) -> dict[str, str]:
    """Tables of an export's NDJSON, made beside it and PHI as it is: the folder of each type that is there."""
    made = {}
    for name in types:
        read = (path.read_bytes().split(b"\n") for path in sorted(export.glob(f"{name}*.ndjson")))
        lines = [line for found in read for line in found if line.strip()]  # exports have blank lines
        where = TableFolder(name, str(target), name.lower(), str(target / ".writing"))
        if table_of(lines, where, "00000").files:
            made[name] = str(target / name.lower())
    return made


def ask(spark: SparkSession, question: Question, folder: str) -> Answer:
    """The answer over the table in a folder."""
    spark.read.parquet(folder).createOrReplaceTempView(question.resource_type.lower())
    asked = spark.sql(question.sql)
    return Answer(tuple(asked.columns[:-1]), {tuple(row[:-1]): row[-1] for row in asked.collect()})


def show_answers(screen: Screen, question: Question, source: Answer, masked: Answer) -> None:
    """The question, both answers side by side, and whether they are one."""
    screen.show("", Text(question.title, style="bold"), Text(question.sql, style="dim"), "")
    groups = list(dict.fromkeys([*source.counts, *masked.counts]))
    shown = table(*source.names, "Source", "Masked", right=("Source", "Masked"))
    for group in groups[:_MOST]:
        counts = (f"{answer.counts.get(group, 0):,}" for answer in (source, masked))
        shown.add_row(*("–" if part is None else str(part) for part in group), *counts)
    screen.show(shown)
    if len(groups) > _MOST:
        screen.show(Text(f"and {len(groups) - _MOST} others", style="dim"))
    if source == masked:
        screen.show(Text("Equal on source and masked.", style="green"))
    elif question.note and source.total == masked.total:
        screen.show(Text(f"Equal in all, {masked.total:,}; {question.note}.", style="green"))
    else:
        screen.show(Text("NOT equal on source and masked.", style="bold red"))
