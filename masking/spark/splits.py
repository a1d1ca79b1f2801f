"""Cut the input into tasks of about equal weight. Runs on the driver; a pure function of the files and the settings.

The files, in order of name, are one long row that is cut into equal stretches. A stretch may begin and end inside a
plain file of lines or a large Parquet file; a compressed file is never cut, nor is one that is a single document. So
neighbours of one type stay in one task, and there are few output files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from masking.sources.content import Form
from masking.sources.parquet import NO_HINTS, Hints
from masking.spark.read import LEAST_STRETCH, InputFile

#: A task with less text than this costs more to start than to run (0.2 to 0.3 s a task, whatever it holds).
LEAST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file: the lines, or row groups, whose first byte lies in [start, end).

    A compressed file is one block, and so is one that is a document.
    """

    path: str
    codec: str
    start: int
    end: int
    size: int  # of the file as stored
    number: int = 0  # of the input file, from 1 in order of name; 0 for files of ours
    form: Form = Form.LINES  # as named
    hints: Hints = NO_HINTS

    @property
    def whole(self) -> bool:
        """Whether the block is its entire file, so that its line numbers are the file's."""
        return self.start == 0 and self.end == self.size


Task = tuple[Block, ...]


def whole_block(file: InputFile, number: int) -> Block:
    """All of a file as one block; `number` from 1 in order of name."""
    return Block(file.path, file.codec, 0, file.size, file.size, number, file.form, file.hints)


def plan_tasks(files: Sequence[InputFile], tasks: int) -> tuple[Task, ...]:
    """At most `tasks` tasks (none without a block), the heaviest first so that none of them is left for last."""
    share = max(1, math.ceil(sum(file.weight for file in files) / max(1, tasks)))
    planned: list[list[Block]] = [[]]
    room = share
    for number, file in enumerate(files, 1):
        start = 0
        while start < file.size:
            full = room <= 0 or (not file.cuttable and planned[-1] and room < file.weight // 2)
            if full and len(planned) < tasks:
                planned.append([])
                room = share
            end = file.size
            # No crumbs: what is left of a file goes along when it is little.
            if file.cuttable and len(planned) < tasks and (file.size - start) * file.scale - room > share // 20:
                end = min(file.size, start + _stretch(file, room))
            planned[-1].append(Block(file.path, file.codec, start, end, file.size, number, file.form, file.hints))
            room -= (end - start) * file.scale
            start = end
    return tuple(tuple(task) for task in sorted(planned, key=_weight, reverse=True) if task)


def count_tasks(weight: int, cores: int, most_bytes: int) -> int:
    """How many tasks: two a core if they have enough to do, and none with more than `most_bytes` of text."""
    share = min(most_bytes, max(LEAST_BYTES, math.ceil(weight / (2 * cores))))
    return max(1, math.ceil(weight / share))


def _stretch(file: InputFile, room: int) -> int:
    """How many bytes, as stored, to cut off a file for so much text."""
    return max(LEAST_STRETCH, room // file.scale) if file.form is Form.PARQUET else room


def _weight(task: Sequence[Block]) -> int:
    return sum(InputFile(block.path, block.end - block.start, block.codec, block.form).weight for block in task)
