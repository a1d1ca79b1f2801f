"""What AWS Glue adds to a job's arguments, taken out before ours are read.

Glue passes its own parameters in pairs, `--JOB_NAME nightly`, and a job has to bear them. An option that is neither
Glue's nor ours is a mistake and stays in, to be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Those in capitals Glue sets by itself (--JOB_NAME, --JOB_RUN_ID, --SECURITY_CONFIGURATION); the others are the special
# parameters of its developer guide for Spark jobs, by the families their names form. `--conf` is ours as well.
_GLUE = re.compile(
    r"--(?:[A-Z][A-Z0-9_]+|TempDir|redshiftTmpDir|scriptLocation|class|conf-file|datalake-formats|executor-cores"
    r"|user-jars-first|(?:additional|auto-scale|continuous-log|customer|disable|enable|extra|job|number-of"
    r"|python-modules|spark-event|use|write-shuffle)-[A-Za-z0-9-]+)\Z"
)


def without_platform_options(words: Sequence[str], ours: Iterable[str]) -> list[str]:
    """The arguments without Glue's and their values.

    ours: our own options. One of them in other letters (`--POLICY`, `--PHI_AREA`) is a mistake too and stays in: passed
    over, the run would go on under settings that nobody chose.
    """
    mistaken = {_folded(option) for option in ours}
    kept: list[str] = []
    places = iter(range(len(words)))
    for at in places:
        name, equals, _ = words[at].partition("=")
        if not _GLUE.match(name) or _folded(name) in mistaken:
            kept.append(words[at])
        elif not equals and at + 1 < len(words) and not words[at + 1].startswith("--"):
            next(places)
    return kept


def _folded(option: str) -> str:
    return option.lower().replace("_", "-")
