"""The graph that references make of documents, read with plain JSON and nothing of the program.

Nodes are resources, wherever they stand: documents, entries of Bundles, contained ones. Edges are references of every
form: literal ones, conditional ones, those by Identifier, `#…`, a Bundle's fullUrl, request and response, and the
links of narratives. An edge has a source, a path without indexes, and the nodes that it finds: none where it dangles.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_LITERAL = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?")
_LINK = re.compile(r'(?:href|src)="([^"]+)"')
_ID = re.compile(r'\bid="([^"]+)"')


@dataclass
class Node:
    """A resource. bundle: the number of the Bundle that it is an entry of; root: of the document or entry that contains it."""

    resource: dict[str, Any]
    bundle: int | None = None
    root: int | None = None
    full_url: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its type and id."""
        return self.resource["resourceType"], self.resource.get("id", "")


#: The number of the source, the path, and the numbers of what is found; of a narrative's own `#…`, whether it is there.
Edge = tuple[int, str, frozenset[int]]


@dataclass
class Graph:
    """Nodes in the documents' order, and edges in that of each resource."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    #: what references spell, edge by edge
    texts: list[str] = field(default_factory=list)


def documents(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The documents of NDJSON and JSON files."""
    for path in paths:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        is_one = ".ndjson" not in path.name
        yield from map(json.loads, [content] if is_one else filter(bytes.strip, content.split(b"\n")))


def graph(found: Iterable[dict[str, Any]], *, bundles: bool = True) -> Graph:
    """The graph of documents. bundles: whether Bundles are nodes; without, their entries' resources alone are."""
    made = Graph()
    for document in found:
        _add(made, document, bundles)
    finder = _Finder(made.nodes)
    for number, node in enumerate(made.nodes):
        for path, spelled, hits in finder.edges(number, node):
            made.edges.append((number, path, hits))
            made.texts.append(spelled)
    return made


def _add(made: Graph, document: dict[str, Any], bundles: bool) -> None:
    number: int | None = None
    if document["resourceType"] != "Bundle" or bundles:
        number = len(made.nodes)
        made.nodes.append(Node(document))
        _add_contained(made, document, number)
    if document["resourceType"] == "Bundle":
        for entry in document.get("entry", ()):
            if "resource" in entry:
                own = len(made.nodes)
                made.nodes.append(Node(entry["resource"], id(document), None, entry.get("fullUrl")))
                _add_contained(made, entry["resource"], own)


def _add_contained(made: Graph, resource: dict[str, Any], root: int) -> None:
    for inner in resource.get("contained", ()):
        made.nodes.append(Node(inner, made.nodes[root].bundle, root))


class _Finder:
    """Finds what references mean."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._by_id: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._by_url: dict[tuple[int | None, str], set[int]] = defaultdict(set)
        self._inside: dict[tuple[int, str], set[int]] = defaultdict(set)
        self._by_identifier: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for number, node in enumerate(nodes):
            kind, own = node.key
            if node.root is not None:
                self._inside[node.root, own].add(number)
                continue
            self._by_id[kind, own].add(number)
            if node.full_url:
                self._by_url[node.bundle, node.full_url.lower()].add(number)
            for one in _list(node.resource.get("identifier")):
                for name in (kind, ""):
                    self._by_identifier[name, one.get("system", ""), one.get("value", "")].add(number)

    def edges(self, number: int, node: Node) -> Iterator[tuple[str, str, frozenset[int]]]:
        """Path, spelling and finds of all references of a resource, and of a Bundle's entries."""
        here = node.bundle if node.resource["resourceType"] != "Bundle" else id(node.resource)
        for path, holder, key, value in _strings(node.resource, node.resource["resourceType"]):
            name = path.rpartition(".")[2]
            if key == "reference":
                yield path, value, frozenset(self._literal(number, here, value))
            elif name == "identifier.value" or (path.endswith(".identifier.value") and "reference" not in holder):
                if path.count(".") > 2:
                    kind, system = holder.get("type", ""), holder["identifier"].get("system", "")
                    yield path, value, frozenset(self._by_identifier.get((kind, system, value), ()))
            elif path in ("Bundle.entry.fullUrl", "Bundle.entry.request.url", "Bundle.entry.response.location"):
                yield path, value, frozenset(self._literal(number, here, value))
            elif path == "Bundle.entry.request.ifNoneExist":
                kind = holder["url"].partition("?")[0]
                yield path, value, frozenset(self._conditional(kind, value))
            elif path.endswith("text.div"):
                own = set(_ID.findall(value))
                for link in _LINK.findall(value):
                    found = {number} if link[1:] in own and link[:1] == "#" else self._literal(number, here, link)
                    yield path, link, frozenset(found)

    def _literal(self, number: int, bundle: int | None, text: str) -> set[int]:
        root = self._nodes[number].root
        root = number if root is None else root
        if text.startswith("#"):
            return self._inside.get((root, text[1:]), set()) if len(text) > 1 else {root}
        if found := self._by_url.get((bundle, text.lower())):
            # The same practitioner may be in two Bundles.
            return {same for hit in found for same in self._by_id[self._nodes[hit].key]} | found
        kind, is_query, query = text.partition("?")
        if is_query:
            return self._conditional(kind.rpartition("/")[2], query)
        parts = _LITERAL.fullmatch(text)
        return self._by_id.get((parts[1], parts[2]), set()) if parts else set()

    def _conditional(self, kind: str, query: str) -> set[int]:
        criteria = [part.partition("=") for part in query.split("&")]
        values = [unquote(value.replace("+", " ")) for name, _, value in criteria if name == "identifier"]
        system, _, number = values[0].rpartition("|") if values else ("", "", "")
        return self._by_identifier.get((kind, system, number), set())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _strings(value: Any, path: str, holder: Any = None) -> Iterator[tuple[str, Any, str, str]]:
    """Path, object, name and text of each string; resources within are left out. Of `identifier.value` the object is the
    one around the Identifier."""
    for key, inner in value.items():
        if key in ("contained", "resource") or (key == "outcome" and isinstance(inner, dict)):
            continue
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                yield from _strings(item, f"{path}.{key}", value)
            elif isinstance(item, str):
                around = holder if path.endswith(".identifier") and key == "value" else value
                yield f"{path}.{key}", around, key, item
