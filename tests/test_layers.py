"""The floor plan, held by the imports themselves: they go down only, and each outside library stays in its own rooms.

A *room* is a module or package directly under `masking/`, or the folder `jobs/`. Every import statement counts, those
inside functions and under TYPE_CHECKING too: a lazy import upward is still a wall knocked through.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: From the ground up. A room may import the rooms on the lines above its own, never its neighbours on the same line.
FLOORS = (
    ("errors",),
    ("keys", "java", "fhir", "native"),
    ("ff1", "checkdigits"),
    ("formats", "pseudonyms"),
    ("pools",),
    ("scrub",),
    ("maskers",),
    ("policy",),
    ("storage",),
    ("identity",),
    ("document",),
    ("report",),  # read without Spark: `status` opens a manifest
    ("tables",),
    ("sources",),
    ("verify",),
    ("risk",),
    ("spark",),
    ("aws", "sample", "session"),
    ("commands",),
    ("cli",),
    ("__main__", "jobs"),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

#: Rooms that may import these of ours and nothing else of ours.
ONLY = {
    "errors": set[str](),
    "aws": {"masking.errors"},  # what speaks to AWS knows nothing of masking
    # What judges a run shares no code with what masks it.
    "verify": {"masking.fhir", "masking.native", "masking.report.verdict"},
    "risk": {"masking.fhir", "masking.native", "masking.report.measures", "masking.verify"},
}

#: Who may import what comes from outside; a library that is not listed is free to all.
CONFINED = {
    "pyspark": ("masking.spark", "masking.session", "masking.commands", "jobs"),  # the library takes a session
    "delta": ("masking.spark", "masking.session", "masking.commands", "jobs"),
    "py4j": (),
    "boto3": ("masking.aws",),
    "botocore": ("masking.aws",),
    "faker": ("masking.pools.build", "masking.sample"),  # not at run time: no worker imports it
    "zipcodes": ("masking.pools.build",),
    "pandas": ("masking.maskers", "masking.document", "masking.spark", "masking.report", "masking.commands"),
    "pyarrow": (
        "masking.storage",
        "masking.document",
        "masking.identity.store",
        "masking.tables",
        "masking.sources",
        "masking.spark",
        "masking.report",
        "masking.commands",
    ),
    "rich": ("masking.commands", "masking.report"),
    "duckdb": ("masking.commands.askers",),  # beside Spark in the demo, where it is installed
    "matplotlib": ("masking.report.plots",),
}

#: Where masking is computed: no clock, no chance (law: output = f(subkey, domain, value, subject)).
PURE = (
    *("masking.ff1", "masking.checkdigits", "masking.formats", "masking.pools", "masking.maskers", "masking.scrub"),
    "masking.document",
    "masking.identity",
)
CHANCE_MODULES = {"random", "secrets", "time", "uuid", "numpy.random"}
CHANCE_CALLS = {"now", "today", "utcnow", "urandom", "getrandbits", "default_rng", "perf_counter"}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        head, *rest = self.name.split(".")
        return rest[0] if head == "masking" and rest else head

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full dotted name of all that is imported; `from a import b` gives both a and a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                source = self.absolute(node)
                yield node.lineno, source
                yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)

    def absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        up = node.level - (self.path.name == "__init__.py")
        return ".".join(package[: len(package) - up] + ([node.module] if node.module else []))

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path}:{line}"


def read(path: Path, root: Path = ROOT) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, ast.parse(path.read_bytes()))


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def ours(name: str) -> str | None:
    """The room that a dotted name lies in, None for what is not ours or is the bare package."""
    head, *rest = name.split(".")
    if head == "jobs":
        return "jobs"
    return rest[0] if head == "masking" and rest else None


def climbing(module: Module) -> Iterator[str]:
    """Imports that go up or sideways between rooms."""
    for line, name in module.imports():
        room = ours(name)
        if room not in LEVEL or room == module.room:  # `from masking import __version__` names no room
            continue
        allowed = ONLY.get(module.room)
        if LEVEL[room] >= LEVEL[module.room] or (allowed is not None and not within(name, tuple(allowed))):
            yield f"{module.at(line)}: {module.room} must not import {name}"


def sideways(module: Module, families: frozenset[str]) -> Iterator[str]:
    """Imports of one family of maskers by another, or by Spark, which knows maskers by their registry only."""
    inside = module.name.startswith("masking.maskers.")
    if not (inside or module.room == "spark"):
        return
    for line, name in module.imports():
        if any(name != module.name and within(name, (family,)) for family in families):
            yield f"{module.at(line)}: {module.name} must not import {name}"


def trespassing(module: Module) -> Iterator[str]:
    """Outside libraries imported where they do not belong."""
    for line, name in module.imports():
        library = name.split(".")[0]
        if library in CONFINED and not within(module.name, CONFINED[library]):
            yield f"{module.at(line)}: {module.name} must not import {library}"


def chancy(module: Module) -> Iterator[str]:
    """Clocks and random numbers where masking is computed."""
    if not within(module.name, PURE):
        return
    for line, name in module.imports():
        if within(name, tuple(CHANCE_MODULES)):
            yield f"{module.at(line)}: {module.name} must not import {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in CHANCE_CALLS:
            yield f"{module.at(node.lineno)}: {module.name} must not use {node.attr}"


MODULES = [read(path) for top in ("masking", "jobs") for path in sorted((ROOT / top).rglob("*.py"))]
FAMILIES = frozenset(
    module.name
    for module in MODULES
    if module.name.startswith("masking.maskers.") and not module.name.split(".")[2].startswith(("base", "_"))
)


def test_there_is_something_to_walk() -> None:
    assert {"masking.errors", "masking.maskers.base"} <= {module.name for module in MODULES}


def test_every_room_has_its_floor() -> None:
    assert {module.room for module in MODULES} - {"masking"} <= set(LEVEL), "give the new room a line in FLOORS"


def test_imports_go_down_only() -> None:
    assert [fault for module in MODULES for fault in climbing(module)] == []


def test_no_family_of_maskers_imports_another() -> None:
    assert [fault for module in MODULES for fault in sideways(module, FAMILIES)] == []


def test_outside_libraries_stay_in_their_rooms() -> None:
    assert [fault for module in MODULES for fault in trespassing(module)] == []


def test_no_clock_and_no_chance_where_masking_is_computed() -> None:
    assert [fault for module in MODULES for fault in chancy(module)] == []


def test_the_package_itself_is_light() -> None:
    """`import masking` comes before any choice is made: it holds the version and imports nothing."""
    package = read(ROOT / "masking" / "__init__.py")
    assert list(package.imports()) == []


def test_jobs_stay_thin() -> None:
    lines = {module.name: len(module.path.read_text().splitlines()) for module in MODULES if module.room == "jobs"}
    assert {name: count for name, count in lines.items() if count >= 100} == {}


# The walker itself: each rule must be able to fail.


Make = Callable[..., Module]


@pytest.fixture
def module(tmp_path: Path) -> Make:
    def make(name: str, source: str, *, package: bool = False) -> Module:
        path = tmp_path.joinpath(*name.split("."), *(("__init__.py",) if package else ())).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return read(path, tmp_path)

    return make


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("masking.errors", "import masking.keys"),
        ("masking.keys", "from masking import policy"),
        ("masking.keys", "from . import policy"),
        ("masking.maskers.dates", "def f():\n    from masking.policy.plan import Node"),
        ("masking.maskers.dates", "if TYPE_CHECKING:\n    from ..document import frame"),
        ("masking.report.manifest", "from masking.spark import write"),
        ("masking.aws.s3", "from masking.keys import Keyring"),
        ("masking.cli.main", "import jobs.mask"),
    ],
)
def test_climbing_is_seen(module: Make, name: str, source: str) -> None:
    assert list(climbing(module(name, source)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("masking.keys", "from masking.errors import KeyRefused"),
        (
            "masking.cli.main",
            "from masking import __version__\nfrom masking.cli import options\nfrom .options import x",
        ),
        ("masking.aws.s3", "from masking.errors import UsageError\nfrom . import roles"),
        ("masking.maskers.dates", "from masking.maskers.base import check\nfrom masking.pools import load"),
    ],
)
def test_going_down_is_free(module: Make, name: str, source: str) -> None:
    families = frozenset({"masking.maskers.dates", "masking.maskers.people"})
    made = module(name, source)
    assert [*climbing(made), *sideways(made, families), *trespassing(made), *chancy(made)] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("masking.maskers.dates", "from masking.maskers import people"),
        ("masking.maskers.dates", "from .people import x"),
        ("masking.maskers.dates", "import masking.maskers.people"),
        ("masking.spark.udfs", "from masking.maskers.people import x"),
    ],
)
def test_a_family_that_imports_its_neighbour_is_seen(module: Make, name: str, source: str) -> None:
    families = frozenset({"masking.maskers.dates", "masking.maskers.people"})
    assert list(sideways(module(name, source), families))


def test_the_package_of_maskers_imports_every_family(module: Make) -> None:
    package = module("masking.maskers", "from masking.maskers import dates, people", package=True)
    assert list(sideways(package, frozenset({"masking.maskers.dates", "masking.maskers.people"}))) == []


@pytest.mark.parametrize(
    ("name", "source", "rule"),
    [
        ("masking.document.engine", "import pyspark.sql", trespassing),
        ("masking.pools.load", "from faker import Faker", trespassing),
        ("masking.fhir.dates", "import pandas as pd", trespassing),
        ("masking.maskers.dates", "from datetime import datetime\ndatetime.now()", chancy),
        ("masking.maskers.dates", "import random", chancy),
        ("masking.ff1", "from numpy import random", chancy),
    ],
)
def test_trespass_and_chance_are_seen(
    module: Make, name: str, source: str, rule: Callable[[Module], Iterator[str]]
) -> None:
    assert list(rule(module(name, source)))
