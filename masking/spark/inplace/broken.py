"""Runs in place that were broken off before they replaced anything, and those that are still at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from masking import storage
from masking.errors import UsageError
from masking.report.manifest import run_folder
from masking.spark.inplace.finish import clear_staged
from masking.spark.inplace.journal import JOURNAL, STAGED
from masking.spark.unfinished import Marker, marked_runs, remove_marker, remove_run
from masking.spark.write import Places

#: Where the marker of another run has its destination; no place begins so.
_IN_PLACE = "in place\n"


def marker_of(phi_area: str, run_id: str, roots: Sequence[str]) -> Marker:
    """The marker of a run over these folders."""
    return Marker(phi_area, run_id, _IN_PLACE + "\n".join(roots))


def refuse_at_work(phi_area: str, roots: Sequence[str]) -> None:
    """`UsageError` if another run is at work on one of these folders."""
    for run_id, is_alive, _ in _over(phi_area, roots):
        if is_alive:
            since = "" if storage.is_local(phi_area) else ", or was killed less than ten minutes ago"
            raise UsageError(f"run {run_id} is at work on these files{since}; wait for it, or stop it")


def clear_broken_off(phi_area: str, roots: Sequence[str], notice: Callable[[str], None]) -> list[str]:
    """Remove what runs left that had replaced nothing, but their markers, and what is left to remove of finished ones.

    The runs of which there is a marker still: their workers may outlive them by a moment and write once more.
    """
    broken = []
    for run_id, _, taken_back in _over(phi_area, roots):
        folder = run_folder(phi_area, run_id)
        if storage.find_file(storage.join(folder, JOURNAL)) is not None:
            clear_staged(folder)
            remove_marker(phi_area, run_id)
            continue
        remove_run(Places(storage.join(folder, STAGED), folder))
        broken.append(run_id)
        if not taken_back:
            notice(f"run {run_id} was broken off before it replaced anything; what it left is removed")
    return broken


def forget_broken_off(phi_area: str, run_ids: Sequence[str]) -> None:
    """Remove all of what `clear_broken_off` removed: whoever might write there is gone."""
    for run_id in run_ids:
        storage.delete_folder(run_folder(phi_area, run_id))


def _over(phi_area: str, roots: Sequence[str]) -> list[tuple[str, bool, bool]]:
    """Runs in place with a marker over these folders: id, whether it is at work, whether it took itself back."""
    return [
        (one.run_id, one.is_alive and not one.taken_back, one.taken_back)
        for one in marked_runs(phi_area)
        if one.destination.startswith(_IN_PLACE)
        and any(
            storage.contains(theirs, ours) or storage.contains(ours, theirs)
            for theirs in one.destination.removeprefix(_IN_PLACE).split("\n")
            for ours in roots
        )
    ]
