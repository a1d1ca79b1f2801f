"""The tour: make a sample export, mask it on this machine, look at it, and look for what was planted.

Everything stays in one folder: DEST/phi holds the sample, its truth, the key and the quarantine; DEST/masked is what
you would share. A second time, the sample and the key that are there are used again.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath

from rich.text import Text

from masking import storage
from masking.commands.beside import show_beside
from masking.commands.carry import carry_out, places, verified
from masking.commands.deltajars import DeltaJars, delta_command
from masking.commands.job import DEFAULT_FORMATS, Order
from masking.commands.planted import Remains, Search, search
from masking.commands.prepare import prepare
from masking.commands.progress import Progressing
from masking.commands.questions import ask_all
from masking.commands.run import QUARANTINED
from masking.commands.sample import make_sample, told
from masking.commands.screen import Screen, counted, duration, facts, table
from masking.commands.summary import show_facts, show_summary
from masking.commands.verdict import exit_code
from masking.errors import UsageError, naming
from masking.keys import write_key_file
from masking.policy.plan import Plan
from masking.policy.specs import Rule
from masking.report.manifest import FORMATS

USAGE = "fhir-mask demo [--patients N] [--dest DIR] [--master URL]"
_SHOWN = {"Patient": 40, "Observation": 12, "Encounter": 16}  # the most changes shown of each
_LEAKED = 1
#: Java compiles quickly rather than well: it does little here, and half of its work on a table of Delta's was compiling.
_SHORT = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"}


def add_arguments(parser: ArgumentParser) -> None:
    """What `demo` takes."""
    parser.add_argument("--patients", metavar="N", type=int, default=2000, help="how many (default: 2000)")
    parser.add_argument("--dest", metavar="DIR", type=Path, default=Path("demo"), help="default: demo")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: this machine, all cores)")


@dataclass(frozen=True, slots=True)
class _Folders:
    root: Path

    @property
    def phi(self) -> Path:
        return self.root / "phi"

    @property
    def sample(self) -> Path:
        return self.phi / "sample"

    @property
    def key(self) -> Path:
        return self.phi / "fhir-mask.key"

    @property
    def area(self) -> Path:
        return self.phi / "area"

    @property
    def recall(self) -> Path:
        return self.phi / "recall.csv"

    @property
    def masked(self) -> Path:
        return self.root / "masked"


def run(arguments: Namespace, screen: Screen) -> int:
    """The seven steps."""
    if arguments.patients < 1:
        raise UsageError("--patients must be 1 or more")
    started = time.monotonic()
    folders = _Folders(arguments.dest)
    with naming(f"write to {folders.root}"):
        folders.phi.mkdir(parents=True, exist_ok=True)
        folders.phi.chmod(0o700)
    _step(screen, 1, "A key and a sample export")
    with DeltaJars(delta_command(arguments.master)) as delta:
        _make_key(screen, folders.key)
        _make_sample(screen, folders.sample, arguments.patients)
        formats = _formats(screen, delta)
    _step(screen, 2, "Masking, under the policy realistic")
    prepared = prepare(
        Order(
            source=(str(folders.sample / "export"),),
            destination=str(folders.masked),
            phi_area=str(folders.area),
            key_file=str(folders.key),
            master=arguments.master,
            formats=formats,
            conf=_SHORT,
        )
    )
    result = carry_out(prepared, screen)
    assert result is not None  # as for all runs that are not incremental
    show_summary(screen, result.manifest)
    _step(screen, 3, "One patient, before and after")
    plan = prepared.engine.plan
    _show_three(screen, plan, folders.sample / "export", Path(result.ndjson))
    _step(screen, 4, "Looking for what was planted")
    with Progressing(screen, "Searching") as bar:
        found = search(plan, folders.sample / "truth.jsonl", folders.sample / "export", Path(result.ndjson), bar.update)
    found.write(folders.recall)
    _show_search(screen, found, folders.recall)
    _step(screen, 5, "Three questions in SQL, asked of the source and of the masked tables")
    ask_all(screen, folders.sample / "export", folders.sample / "tables", result, arguments.master)
    _step(screen, 6, "Verifying: every known identifier, every reference, every value that stays")
    verdict = verified(prepared, result, screen)
    _step(screen, 7, "Where things are, and what next")
    show_facts(screen, result.manifest, [("Source", str(folders.sample / "export")), *places(result)])
    _show_next(screen, folders)
    screen.say(f"The demo took {duration(time.monotonic() - started)}.", "dim")
    if found.leaked:
        return _LEAKED
    if not verdict.verified:
        return exit_code(verdict)
    return QUARANTINED if result.quarantine else 0


def _step(screen: Screen, number: int, title: str) -> None:
    screen.show("", Text(f"{number}. {title}", style="bold cyan"), "")


def _formats(screen: Screen, delta: DeltaJars) -> tuple[str, ...]:
    """All that a run writes; without Delta where it cannot be had."""
    there = delta.are_there(seconds=1)
    if there is None:
        screen.say("Waiting for Delta's jars, which Maven brings the first time, 86 MB", "dim")
        there = delta.are_there()
    if not there:
        screen.show("Delta:  left out, for Maven does not bring its jars here")
    return FORMATS if there else DEFAULT_FORMATS


def _make_key(screen: Screen, path: Path) -> None:
    if path.exists():
        screen.show(f"Key:    {path}, from an earlier demo")
        return
    write_key_file(path)
    screen.show(f"Key:    {path}, new; it never leaves this machine")


def _make_sample(screen: Screen, folder: Path, patients: int) -> None:
    """The sample, made anew unless the same one is there."""
    note = folder / "sample.json"
    asked = {"patients": patients, "seed": 1}
    if folder.exists():
        try:
            there = json.loads(note.read_text())
        except (OSError, ValueError):
            there = None
            # Ours, of a demo that was killed: it is being written, or was about to be.
            is_ours = (folder / "export.partial").exists() or not any(folder.glob("[!.]*"))
            if not is_ours:
                raise UsageError(f"{folder} is there and is not a demo's; choose another --dest") from None
        if there == asked and (folder / "export").exists():
            screen.show(f"Sample: {folder / 'export'}, from an earlier demo")
            return
        shutil.rmtree(folder)
    # First of all, so that a demo knows its own folder whenever it was killed.
    storage.write_bytes(str(note), json.dumps(asked).encode())
    made = make_sample(screen, folder, patients, asked["seed"])
    screen.show(f"Sample: {told(made)}")
    screen.show(f"        {counted(made.truth_lines, 'identifying value')} in it, listed in {made.truth}")


# ── one patient ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_three(screen: Screen, plan: Plan, export: Path, ndjson: Path) -> None:
    """A patient, and two resources that point at them."""
    patient = _first(export, "Patient", "")
    if patient is None:
        return
    for name, most in _SHOWN.items():
        source = patient if name == "Patient" else _first(export, name, f'Patient/{patient["id"]}"')
        masked = source and _first(ndjson / name, name, f'"id":"{_masked_id(plan, name, source["id"])}"')
        if source and masked:
            show_beside(screen, plan, source, masked, most=most)


def _first(folder: Path, name: str, needle: str) -> dict[str, str] | None:
    """The first resource of a type whose line holds a text."""
    for file in sorted(folder.glob(f"{name}*.ndjson")):
        with file.open(encoding="utf-8") as stream:
            for line in stream:
                if needle in line and line.strip():
                    found: dict[str, str] = json.loads(line)
                    return found
    return None


def _masked_id(plan: Plan, name: str, source_id: str) -> str | None:
    masker = plan.root(name).child("id").rule.masker
    return source_id if masker is None else plan.bound(masker).mask_distinct([source_id])[0]


# ── what was planted ─────────────────────────────────────────────────────────────────────────────────────────────────


def _show_search(screen: Screen, found: Search, report: Path) -> None:
    columns = ("Places", "Values", "Found", "Recall", "Kept by a rule", "Same by chance")
    shown = table("Planted", *columns, right=columns)
    leaked = _by_kind(found.leaked)
    kept = _by_kind(found.kept)
    for kind, count in found.planted.most_common():
        bad = Text(f"{leaked[kind]:,}", style="bold red" if leaked[kind] else "green")
        numbers = (f"{count:,}", f"{found.values[kind]:,}", bad, _percent(found.recall(kind)))
        shown.add_row(kind.replace("_", " "), *numbers, f"{kept[kind]:,}", f"{found.chance[kind]:,}")
    screen.show(shown, "")
    total = found.planted.total()
    verdict = Text(f"{total:,} planted values looked for, {found.found:,} found.", style="bold")
    screen.show(verdict.append(f" ({counted(found.lines, 'masked resource')} searched)", style="dim"))
    said = [
        (title, f"{count:,} × {path} ({kind}), by {_place(rule)}")
        for title, counts in (("Found", found.leaked), ("Kept by a rule", found.kept))
        for (kind, path, rule), count in counts.most_common(8)
    ]
    if found.chance:
        said.append(
            ("Same by chance", "gone under another key: the fake of another value, or of itself, a month that stayed")
        )
    said.append(("By path", str(report)))
    screen.show(facts(said))
    if found.unseen:
        screen.show(Text(f"  {counted(found.unseen, 'value')} stood in resources that were not written.", style="dim"))


def _percent(share: float | None) -> str:
    """A share, rounded down: one that is not whole never reads as 100%."""
    return "–" if share is None else "100%" if share == 1 else f"{math.floor(share * 1e5) / 1e3:.3f}%"


def _place(rule: Rule) -> str:
    return f"{PurePath(rule.place.file).name}:{rule.place.line}: {rule.why or rule.action.value}"


def _by_kind(counts: Counter[Remains]) -> Counter[str]:
    total: Counter[str] = Counter()
    for remains, count in counts.items():
        total[remains.kind] += count
    return total


def _show_next(screen: Screen, folders: _Folders) -> None:
    screen.show("")
    screen.show_lines(
        [
            ("Look at more", f"fhir-mask preview {folders.sample / 'export'} --key-file {folders.key} --type Claim"),
            ("Ask for a rule", "fhir-mask explain Patient.birthDate"),
            ("Your own export", "fhir-mask keygen --out my.key"),
            ("", "fhir-mask preview EXPORT --key-file my.key"),
            ("", "fhir-mask run EXPORT masked --phi-area phi --key-file my.key"),
            ("Your own policy", "fhir-mask policy show realistic > my_policy.yaml"),
        ]
    )
    screen.show("")
