"""What a run is told: by the command line, by a job file, or by both, where the command line wins.

A job file is strict YAML; all that is wrong with it is said at once, each with file and line. Its paths are taken from
the working directory, as those of the command line are.
"""

from __future__ import annotations

import dataclasses
import re
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masking.commands.options import refuse_empty_key
from masking.commands.risking import number_of, told_of
from masking.errors import UsageError
from masking.fhir.elements import resource_types
from masking.policy.problems import Problems, did_you_mean, key_path, short
from masking.policy.source import Source, Unusable
from masking.policy.yaml_tree import Node, Scalar, SequenceNode, read_tree
from masking.report.manifest import BUNDLES, FORMATS, fault_of_reference_date
from masking.risk.settings import fault_of_attributes
from masking.tables.like import OURS, TABLES_LIKE, fault_of_tables_like
from masking.tables.main_dates import AUTO, NONE, YEAR, main_date_paths

_SIZE = re.compile(r"([0-9]{1,15})([KMG]?)\Z")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
#: Spark takes no other; it would say so in a stack trace, after it was started.
_MASTER = re.compile(r"(?:local|yarn|spark://.+|k8s://.+)\Z|local(?:-cluster)?\[")
_MASTERS = "expected local, local[N], yarn, spark://HOST:PORT or k8s://HOST:PORT"
#: Options of text, as they are called on the command line and in a job file.
_TEXTS = (
    *("phi_area", "policy", "key_file", "key_env", "project", "on", "master", "bundles", "json_column"),
    *("keep_originals", "tables_like"),
)
#: What a run writes unless it is told otherwise; `RunSettings` alone writes what is needed for the rest.
DEFAULT_FORMATS = ("ndjson", "parquet")
_FLAGS_IN_PLACE = ("leave_others", "rename_files", "keep_file_names", "keep_people")
_CONF = re.compile(r"[A-Za-z][A-Za-z0-9._\-]*\Z")


@dataclass(frozen=True, slots=True)
class Order:
    """A run as it was ordered; None where nothing was said. Sizes are in bytes."""

    source: tuple[str, ...] = ()
    destination: str | None = None
    phi_area: str | None = None
    policy: str | None = None
    key_file: str | None = None
    key_env: str | None = None
    project: str | None = None
    on: str | None = None
    types: tuple[str, ...] = ()
    master: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict)
    max_document_bytes: int | None = None
    target_file_bytes: int | None = None
    allow_other_key: bool = False
    bundles: str | None = None
    formats: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    resource_column: bool = False
    tables_like: str | None = None
    change_feed: bool = False
    json_column: str | None = None
    incremental: bool = False
    reread: bool = False
    anew: bool = False
    quasi_identifiers: tuple[str, ...] = ()
    k: int | None = None
    population: int | None = None
    in_place: bool = False
    keep_originals: str | None = None
    leave_others: bool = False
    rename_files: bool = False
    keep_file_names: bool = False
    refresh: str = ""  # as in `RunSettings`
    subjects: tuple[str, ...] = field(default=(), repr=False)  # whose documents, where they are listed
    keep_people: bool = False


def order_of(arguments: Namespace) -> Order:
    """The order of a command line and the job file it may name.

    `PolicyError` for what is wrong in the file, `UsageError` on the line.
    """
    said = read_job(Path(arguments.job)) if arguments.job else Order()
    paths = list(arguments.paths)
    in_place = arguments.in_place or said.in_place
    if len(paths) == 1 and not in_place:
        raise UsageError("a run needs a SOURCE and a DESTINATION; here is one path alone")
    given: dict[str, Any] = {
        "source": tuple(paths if in_place else paths[:-1]),
        "destination": paths[-1] if paths and not in_place else None,
        "types": _named(arguments.types, "--types", "to mask all that the policy lets through"),
        "formats": _named(arguments.formats, "--formats", "for NDJSON and Parquet"),
        "partition_by": _named(arguments.partition_by, "--partition-by", "to leave it to the sizes"),
        "resource_column": arguments.resource_column,
        "change_feed": arguments.change_feed,
        "incremental": arguments.incremental,
        "reread": arguments.reread,
        "anew": arguments.anew,
        "allow_other_key": arguments.allow_other_key,
        **{name: getattr(arguments, name) for name in ("in_place", *_FLAGS_IN_PLACE)},
    }
    for name in _TEXTS:
        given[name] = getattr(arguments, name)
    for name in ("max_document_bytes", "target_file_bytes"):
        text = getattr(arguments, name)
        given[name] = None if text is None else _size(text, "--" + name.replace("_", "-"))
    given |= told_of(arguments)
    if (
        given["key_file"] is not None or given["key_env"] is not None
    ):  # one of them on the line replaces the other in the file
        said = dataclasses.replace(said, key_file=None, key_env=None)
    order = dataclasses.replace(said, **{name: value for name, value in given.items() if value or value == ""})
    return _checked(dataclasses.replace(order, conf={**said.conf, **conf_of(arguments.conf or [])}))


def _named(text: str | None, option: str, without: str) -> tuple[str, ...]:
    """What a line names; a list of nothing is a mistake, for it would read as if nothing had been said."""
    names = _listed(text)
    if text is not None and not names:
        raise UsageError(f"{option} names nothing; leave it out {without}")
    return names


def _checked(order: Order) -> Order:
    _refuse_empty(order)
    for name in order.types:
        if name not in resource_types():
            hint = did_you_mean(name, resource_types())
            raise UsageError(f"--types: R4 has no type {short(name)!r}" + (f"; {hint}" if hint else ""))
    if order.bundles is not None and order.bundles not in BUNDLES:
        raise UsageError(f"--bundles: expected {' or '.join(BUNDLES)}")
    if wrong := _wrong_formats(order.formats):
        raise UsageError(f"--formats: {wrong}")
    if wrong := _wrong_partitions(order.partition_by):
        raise UsageError(f"--partition-by: {wrong}")
    if order.master is not None and not _MASTER.match(order.master):
        raise UsageError(f"--master: {_MASTERS}")
    if order.on is not None and (fault := fault_of_reference_date(order.on)):
        raise UsageError(f"--on: {fault}")
    if not order.incremental and (order.reread or order.anew):
        raise UsageError(
            f"--{'reread' if order.reread else 'anew'} says how a run with --incremental goes; give that too"
        )
    if order.reread and order.anew:
        raise UsageError("--anew reads all files, so --reread adds nothing; give one of them")
    (_check_in_place if order.in_place else _check_apart)(order)
    if order.phi_area is None:
        raise UsageError(
            "--phi-area DIR is needed: what cannot be masked goes there, with its PHI; name a folder that only those "
            "may read who may read the source"
        )
    return order


def _check_apart(order: Order) -> None:
    """`UsageError` for what a run that leaves its source alone lacks, or would pass over."""
    if not order.source or order.destination is None:
        raise UsageError("a run needs a SOURCE and a DESTINATION: fhir-mask run SOURCE … DESTINATION --phi-area DIR")
    formats = order.formats or DEFAULT_FORMATS
    if "parquet" not in formats and (order.partition_by or order.resource_column):
        raise UsageError(
            "--partition-by and --resource-column shape tables, and --formats asks for none; add parquet to it"
        )
    if "delta" not in formats and order.change_feed:
        raise UsageError(
            "--change-feed is kept by Delta tables, and --formats asks for none: --formats ndjson,parquet,delta"
        )
    if fault := fault_of_tables_like(
        order.tables_like or OURS,
        formats=formats,
        bundles=order.bundles or "keep",
        partitioned=bool(order.partition_by),
        resource=order.resource_column,
        incremental=order.incremental,
    ):
        raise UsageError(fault)
    for name in ("keep_originals", *_FLAGS_IN_PLACE):
        if getattr(order, name):
            raise UsageError(f"--{name.replace('_', '-')} is for --in-place alone")


def _check_in_place(order: Order) -> None:
    """`UsageError` for what does not go with a run in place."""
    if not order.source:
        raise UsageError("a run in place needs a SOURCE: fhir-mask run SOURCE … --in-place --phi-area DIR")
    if order.destination is not None:
        raise UsageError("a run in place has no DESTINATION; leave it out of the job file, or leave out --in-place")
    if order.types:
        raise UsageError("--types would delete all other types in place; name the files that are to be masked instead")
    shaped = order.formats or order.partition_by or order.resource_column or order.change_feed or order.tables_like
    if order.bundles == "split" or shaped:
        raise UsageError(
            "files that are masked in place keep their format and layout: leave out --bundles split, --formats, "
            "--partition-by, --resource-column, --tables-like and --change-feed"
        )
    if order.incremental:
        raise UsageError("a run in place knows by itself which files are masked already: leave out --incremental")
    if order.target_file_bytes is not None:
        raise UsageError("files that are masked in place stay as many as they are: leave out --target-file-bytes")
    if order.rename_files and order.keep_file_names:
        raise UsageError("--rename-files or --keep-file-names, not both")


def _refuse_empty(order: Order) -> None:
    """Empty text is what a shell makes of a variable that is not set; a default in its place would be nobody's choice."""
    said = {"--phi-area": order.phi_area, "--policy": order.policy, "--project": order.project}
    said["--json-column"] = order.json_column
    said["--keep-originals"] = order.keep_originals
    said["--tables-like"] = order.tables_like
    for name, text in {"DESTINATION": order.destination, **said}.items():
        if text is not None and not text.strip():
            raise UsageError(f"{name} is empty")
    if not all(text.strip() for text in order.source):
        raise UsageError("a SOURCE is empty")
    refuse_empty_key(order.key_file, order.key_env)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _wrong_formats(formats: tuple[str, ...]) -> str | None:
    """What is wrong with the formats that were asked for."""
    for name in formats:
        if name not in FORMATS:
            hint = did_you_mean(name, FORMATS)
            return f"{short(name)!r} is none of {', '.join(FORMATS)}" + (f"; {hint}" if hint else "")
    if formats and "ndjson" not in formats:
        return "ndjson is always written: tables are made of it"
    return "delta wants parquet, of which it is made" if "delta" in formats and "parquet" not in formats else None


def _wrong_partitions(names: tuple[str, ...]) -> str | None:
    """What is wrong with what tables are to be partitioned by."""
    if len(names) == 1 and names[0] in (AUTO, NONE, YEAR):
        return None
    for name in names:
        if not main_date_paths(name):
            hint = did_you_mean(name, [*resource_types(), AUTO, NONE, YEAR])
            return (
                f"expected {AUTO}, {NONE}, {YEAR}, or types with a main date (docs/tables.md), not {short(name)!r}"
                + (f"; {hint}" if hint else "")
            )
    return None


def _size(text: str, where: str) -> int:
    found = _SIZE.match(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"{where}: expected a number of bytes, also with K, M or G behind (1024 each)")
    return int(found[1]) * _UNITS[found[2]]


def conf_of(words: list[str]) -> dict[str, str]:
    """Settings of Spark, as the command line has them. `UsageError` for what is none."""
    conf: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _CONF.match(name):  # the word itself may hold a secret: it is not repeated
            raise UsageError("--conf: expected KEY=VALUE, as in --conf spark.driver.memory=4g")
        conf[name] = value
    return conf


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_job(path: Path) -> Order:
    """A job file. Raises `UsageError` if there is none, `PolicyError` with everything that is wrong in it."""
    problems = Problems(str(path))
    tree = read_tree(path, problems)
    source = Source(problems, str(path), path.parent, "")
    values: dict[str, Any] = {}
    if tree is not None:
        for key, entry in source.entries(tree, "$", _READERS).items():
            try:
                values[key] = _READERS[key](entry.node, key_path("$", key), source)
            except Unusable:
                continue
    problems.refuse()
    return Order(**values)


def _text(node: Node, path: str, source: Source) -> str:
    return source.text(node, path)


def _texts(node: Node, path: str, source: Source) -> tuple[str, ...]:
    if isinstance(node, SequenceNode):
        return tuple(source.text(item, key_path(path, index)) for index, item in enumerate(node.items))
    return (source.text(node, path),)


def _types(node: Node, path: str, source: Source) -> tuple[str, ...]:
    names = _texts(node, path, source)
    if not names:
        raise source.bad(node, path, "names no type", "leave it out to mask all that the policy lets through")
    for index, name in enumerate(names):
        if name not in resource_types():
            hint = did_you_mean(name, resource_types())
            source.bad(node, key_path(path, index), f"R4 has no type {short(name)!r}", hint)
    return names


def _mapping(node: Node, path: str, source: Source) -> dict[str, str]:
    conf: dict[str, str] = {}
    for key, entry in source.entries(node, path).items():
        if not _CONF.match(key):
            source.bad(entry, path, "expected names of Spark's settings, as in spark.driver.memory: 4g")
        elif isinstance(entry.node, Scalar) and entry.node.value is not None:
            conf[key] = entry.node.text
        else:
            source.bad(entry, key_path(path, key), "expected text")
    return conf


def _bytes(node: Node, path: str, source: Source) -> int:
    try:
        return _size(node.text if isinstance(node, Scalar) else "", path)
    except UsageError:
        raise source.bad(node, path, "expected a number of bytes, also with K, M or G behind (1024 each)") from None


def _bundles(node: Node, path: str, source: Source) -> str:
    text = source.text(node, path)
    if text not in BUNDLES:
        raise source.bad(node, path, f"expected {' or '.join(BUNDLES)}", did_you_mean(text, BUNDLES))
    return text


def _tables_like(node: Node, path: str, source: Source) -> str:
    text = source.text(node, path)
    if text not in TABLES_LIKE:
        raise source.bad(node, path, f"expected {' or '.join(TABLES_LIKE)}", did_you_mean(text, TABLES_LIKE))
    return text


def _on(node: Node, path: str, source: Source) -> str:
    text = source.text(node, path)
    if fault := fault_of_reference_date(text):
        raise source.bad(node, path, fault)
    return text


def _master(node: Node, path: str, source: Source) -> str:
    text = source.text(node, path)
    if not _MASTER.match(text):
        raise source.bad(node, path, _MASTERS)
    return text


def _formats(node: Node, path: str, source: Source) -> tuple[str, ...]:
    return _checked_list(node, path, source, _wrong_formats)


def _partitions(node: Node, path: str, source: Source) -> tuple[str, ...]:
    return _checked_list(node, path, source, _wrong_partitions)


def _checked_list(
    node: Node, path: str, source: Source, wrong_with: Callable[[tuple[str, ...]], str | None]
) -> tuple[str, ...]:
    """A list, or a text with commas."""
    names = tuple(name for text in _texts(node, path, source) for name in _listed(text))
    if wrong := wrong_with(names):
        raise source.bad(node, path, wrong)
    return names


def _attributes(node: Node, path: str, source: Source) -> tuple[str, ...]:
    return _checked_list(node, path, source, lambda names: fault_of_attributes(names) or None)


def _people(node: Node, path: str, source: Source) -> int:
    try:
        return number_of(node.text if isinstance(node, Scalar) else "", "--k" if path.endswith("k") else path)
    except UsageError as error:
        raise source.bad(node, path, str(error).partition(": ")[2]) from None


def _flag(node: Node, path: str, source: Source) -> bool:
    return source.flag(node, path)


_READERS: Mapping[str, Callable[[Node, str, Source], Any]] = {
    "source": _texts,
    "destination": _text,
    "phi_area": _text,
    "policy": _text,
    "key_file": _text,
    "key_env": _text,
    "project": _text,
    "on": _on,
    "types": _types,
    "master": _master,
    "conf": _mapping,
    "max_document_bytes": _bytes,
    "target_file_bytes": _bytes,
    "allow_other_key": _flag,
    "bundles": _bundles,
    "formats": _formats,
    "partition_by": _partitions,
    "resource_column": _flag,
    "tables_like": _tables_like,
    "change_feed": _flag,
    "json_column": _text,
    "incremental": _flag,
    "quasi_identifiers": _attributes,
    "k": _people,
    "population": _people,
    "in_place": _flag,
    "keep_originals": _text,
    "leave_others": _flag,
    "rename_files": _flag,
    "keep_file_names": _flag,
    "keep_people": _flag,
}
