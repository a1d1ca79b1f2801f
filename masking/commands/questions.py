"""Three questions in SQL, asked of the tables of the source and of the masked ones: what an analyst would see of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from masking.commands.askers import Answer, Asker, SparkAsker, duckdb_asker
from masking.commands.quiet import QuietStart
from masking.commands.screen import Screen, table
from masking.session import open_session
from masking.spark import RunResult
from masking.tables.parquet import TableFolder
from masking.tables.whole import table_of

_MOST = 12  # rows shown of an answer


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose last column is a count, and the table it is asked of. `note`: why it is asked this way."""

    title: str
    resource_type: str
    sql: str
    note: str = ""


def questions(reference_date: str) -> tuple[Question, ...]:
    """The three; ages are as of the day on which masking keeps them."""
    day = reference_date.replace("-", "")
    return (
        Question(
            "Patients by sex and age",
            "Patient",
            f"""SELECT gender,
       CASE WHEN age < 18 THEN '0-17' WHEN age < 40 THEN '18-39' WHEN age < 65 THEN '40-64'
            WHEN age >= 65 THEN '65 and over' END AS age,
       count(*) AS patients
FROM (SELECT gender, floor(({day} - year(main_date) * 10000 - month(main_date) * 100 - day(main_date)) / 10000) AS age
      FROM patient)
GROUP BY 1, 2 ORDER BY 1, 2""",
        ),
        Question(
            "The most frequent conditions",
            "Condition",
            """SELECT coding.system, coding.code, count(DISTINCT patient_id) AS patients
FROM (SELECT patient_id, explode(code.coding) AS coding FROM condition)
GROUP BY 1, 2 ORDER BY 3 DESC, 1 NULLS LAST, 2 NULLS LAST LIMIT 10""",
        ),
        Question(
            "Encounters by year since the patient's first",
            "Encounter",
            """SELECT CAST(floor(datediff(main_date, first) / 365.25) AS INT) AS year, count(*) AS encounters
FROM (SELECT main_date, min(main_date) OVER (PARTITION BY patient_id) AS first FROM encounter WHERE patient_id IS NOT NULL)
GROUP BY 1 ORDER BY 1 NULLS LAST""",
            "Not by calendar year, for masking moves days; all of a patient's alike, so what lies between two stays.",
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


def ask_all(screen: Screen, export: Path, target: Path, result: RunResult, master: str | None) -> None:
    """Ask of an export, of which tables are made in `target`, and of what a run has made of it; show the answers."""
    asked = questions(result.manifest.made_with.reference_date)
    before = source_tables(export, target, [one.resource_type for one in asked])
    duck = duckdb_asker()
    if duck is None:
        screen.show("DuckDB is not installed (pip install duckdb), so Spark alone answers.")
    with QuietStart():
        spark = open_session(master)
    try:
        askers: list[Asker] = [SparkAsker(spark), *([] if duck is None else [duck])]
        for question in asked:
            if folder := before.get(question.resource_type):
                name = question.resource_type.lower()
                folders = {"source": folder, "masked": f"{result.parquet}/{name}"}
                show_answers(
                    screen,
                    question,
                    {
                        f"{asker.name}\n{side}": asker.ask(question.sql, {name: place})
                        for asker in askers
                        for side, place in folders.items()
                    },
                )
    finally:
        spark.stop()


def show_answers(screen: Screen, question: Question, answers: Mapping[str, Answer]) -> None:
    """The question, its answers side by side, each by who gave it and of what, and whether they are one."""
    screen.show("", Text(question.title, style="bold"), Text(question.sql, style="dim"), "")
    first, *others = answers.values()
    groups = list(dict.fromkeys(group for answer in answers.values() for group in answer.counts))
    shown = table(*first.names, *answers, right=tuple(answers))
    for group in groups[:_MOST]:
        counts = (f"{answer.counts.get(group, 0):,}" for answer in answers.values())
        shown.add_row(*("–" if part is None else str(part) for part in group), *counts)
    screen.show(shown)
    if len(groups) > _MOST:
        screen.show(Text(f"and {len(groups) - _MOST} others", style="dim"))
    if question.note:
        screen.show(Text(question.note, style="dim"))
    if all(other == first for other in others):
        screen.show(Text("Equal on source and masked.", style="green"))
    else:
        screen.show(Text("NOT equal on source and masked.", style="bold red"))
