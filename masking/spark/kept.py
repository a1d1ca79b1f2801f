"""What an incremental run gathered of people, kept on the PHI side for the runs after it.

Each run keeps what its own files say, as they were gathered and before links were settled, and no more. The runs of a
dataset together are then what one pass over all of their files would have gathered, and settling them anew gives the
same store: a patient of an earlier drop is known in this one, and one whose name has changed is known by both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from masking import storage
from masking.errors import InputError
from masking.spark.identify_tasks import Gathered, gathered_path

#: Put last: what there is in the folder.
_INDEX = "gathered.msgpack"


def keep(folder: str, gathered: Sequence[Gathered]) -> None:
    """Make the records that tasks have written into a folder readable to later runs."""
    storage.write_bytes(
        storage.join(folder, _INDEX), msgspec.msgpack.encode(sorted(gathered, key=lambda one: one.task))
    )


def read_kept(folder: str) -> Iterator[tuple[str, Gathered]]:
    """The files of a folder, and what is in each. `InputError` where nothing was kept."""
    content = storage.read_bytes(storage.join(folder, _INDEX))
    if content is None:
        raise InputError(f"what an earlier run knew of people is not at {folder}; give the PHI area that it was given")
    for one in msgspec.msgpack.decode(content, type=list[Gathered]):
        yield gathered_path(folder, one.task), one
