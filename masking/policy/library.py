"""Find policies: the shipped ones by name, others by file.

The shipped policies are edited in `conf/policies` of the repository and installed as `masking/conf/policies`.
"""

from __future__ import annotations

import atexit
import functools
import re
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from masking.errors import UsageError
from masking.policy.problems import did_you_mean, one_of, short

SUFFIXES = (".yaml", ".yml")
_NAME = re.compile(r"[\w.\-]{1,80}\Z")


def shipped() -> dict[str, Path]:
    """The policies that come with this package, by name, sorted.

    Read from a zipped package too: its files are then unpacked for as long as the process lives.
    """
    return dict(_shipped())


def find(name_or_path: str | Path, *, search: Sequence[Path] = (), relative_to: Path | None = None) -> Path:
    """The file of a policy.

    A `Path`, or text with a slash or a YAML suffix, is a file, taken relative to `relative_to` (default: the working
    directory). Anything else is a name: `NAME.yaml` in one of the `search` folders, else a shipped policy.

    Raises `UsageError` with the nearest name when there is none.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith(SUFFIXES):
        path = Path(relative_to or "", name_or_path)
        if not _is_file(path):
            raise UsageError(_no_file(path, text))
        return path
    known = {**shipped(), **_in_folders(search)}
    if text not in known:
        hint = did_you_mean(text, known, one_of(known))
        if _is_file(Path(relative_to or "", text)):
            hint = f"for the file of that name write './{text}'"
        # Text with spaces is no policy's name and may be anything: it is not repeated.
        shown = f" {text!r}" if _NAME.match(text) else ""
        raise UsageError(f"unknown policy{shown}; {hint}")
    return known[text]


def _no_file(path: Path, text: str) -> str:
    siblings: dict[str, Path] = {}
    with suppress(OSError, ValueError):
        siblings = _in_folders([path.parent])
    stem = path.name.removesuffix(".yaml").removesuffix(".yml")
    hint = did_you_mean(stem, {**shipped(), **siblings})
    return f"there is no file {short(text)!r}" + (f"; {hint}" if hint else "")


def _in_folders(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in reversed(folders):  # the first folder wins
        found |= {path.stem: path for path in sorted(Path(folder).glob("*.y*ml")) if path.suffix in SUFFIXES}
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, a NUL
        return False


@functools.cache
def _shipped() -> dict[str, Path]:
    kept = ExitStack()
    atexit.register(kept.close)
    names = sorted((entry.name, entry) for entry in _folder().iterdir() if entry.name.endswith(SUFFIXES))
    return {Path(name).stem: kept.enter_context(as_file(entry)) for name, entry in names}


def _folder() -> Traversable:
    package = files("masking")
    installed = package.joinpath("conf", "policies")
    # A source checkout keeps conf/ beside the package, where people look for it.
    return installed if installed.is_dir() else Path(str(package)).parent / "conf" / "policies"
