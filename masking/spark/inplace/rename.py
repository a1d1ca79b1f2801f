"""Names for masked files that tell nothing of what the files were called."""

from __future__ import annotations

from collections import Counter

from masking import storage
from masking.spark.inplace.stage import Staged
from masking.spark.read import suffix_of

_HASH = 16
_FOLDER_HASH = 8


def new_targets(staged: Staged) -> dict[int, str]:
    """Where each file goes, by number: a name of its type (`Mixed` of several, `Empty` of none) and of the hash of what is
    in it, so that not even the order of the old names is left. Folders whose names tell of people get others too. What is
    there already stays: a number is added.
    """
    files = staged.sources.inputs.files
    folders = _folders(staged)
    taken: Counter[str] = Counter()
    targets: dict[int, str] = {}
    for number in sorted(staged.prints, key=lambda number: (staged.prints[number].sha256, number)):
        path = files[number - 1].path
        root, below = staged.sources.below(path)
        parents = below.split("/")[:-1]
        folder = storage.join(
            root, *(folders.get("/".join(parents[: at + 1]), name) for at, name in enumerate(parents))
        )
        types = staged.types.get(number, ())
        kind = types[0] if len(types) == 1 else "Mixed" if types else "Empty"
        stem = storage.join(folder, f"{kind}-{staged.prints[number].sha256[:_HASH]}")
        while True:
            taken[stem] += 1
            again = f"-{taken[stem]}" if taken[stem] > 1 else ""
            targets[number] = stem + again + suffix_of(path)
            if targets[number] == path or storage.find_file(targets[number]) is None:
                break
    return targets


def _folders(staged: Staged) -> dict[str, str]:
    """A new name for each folder, by its path below the root, whose own name tells of people."""
    found: dict[str, str] = {}
    for number, file in enumerate(staged.sources.inputs.files, 1):
        parents = staged.sources.parts(file.path)[:-1]
        for at, name in enumerate(parents):
            if name in staged.telling:
                path = "/".join(parents[: at + 1])
                new = f"folder-{staged.prints[number].sha256[:_FOLDER_HASH]}"
                found[path] = min(found.get(path, new), new)
    return found
