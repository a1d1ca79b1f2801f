"""Two documents side by side: which values stand at a path before and after, as long as only leaves differ."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from masking.fhir.elements import children
from masking.risk.domains import TOLD
from masking.verify.kinds import ELEMENTS, Kind
from masking.verify.tree import Branch, Tree, Twig

#: Types that are drawn from lists or computed, and numbers, dates and references, which have checks of their own.
_NO_TEXT = frozenset(
    {"code", "boolean", "decimal", "integer", "positiveInt", "unsignedInt", "date", "dateTime", "instant", "time"}
)
#: By path, whether its values are texts, and these before and after.
Beside = dict[str, tuple[bool, list[Any], list[Any]]]


class Step:
    """One property as `_together` goes through it: what a `Twig` says of it, asked once."""

    __slots__ = (
        "_extensions",
        "below",
        "is_extension",
        "is_leaf",
        "is_text",
        "kind",
        "path",
        "told_under",
        "tree",
        "twig",
    )

    def __init__(self, tree: Tree, twig: Twig, is_root: bool) -> None:
        element = twig.element
        self.tree, self.twig, self.path = tree, twig, twig.path
        self.is_extension = twig.is_extension
        self.is_leaf = element is not None and twig.below is None and not self.is_extension and not twig.is_resource
        self.is_text = is_text(twig)
        #: of a text that identifies somebody, what it is
        self.kind = None
        if self.is_leaf and element is not None:
            kind = Kind.ID if is_root and element.name == "id" else ELEMENTS.get(element.path)
            self.kind = kind if kind in TOLD else None
        self.below = None if twig.below is None else Steps(tree, twig.below)
        content = element.content if element is not None else None
        #: what finds a name under which an identifier may stand; None where one may stand in any case
        self.told_under = None if self.kind is not None else _told_under(content or "Element")
        self._extensions: dict[object, Steps] = {}

    def extension(self, url: object) -> Steps:
        """The steps in an extension."""
        found = self._extensions.get(url) if isinstance(url, str) else None
        if found is None:
            below = self.twig.extension(url).below
            assert below is not None
            found = Steps(self.tree, below)
            if isinstance(url, str):
                self._extensions[url] = found
        return found


class Steps(dict[str, Step]):
    """Steps by name, made when first asked for."""

    def __init__(self, tree: Tree, branch: Branch) -> None:
        super().__init__()
        self._tree, self._branch = tree, branch

    def __missing__(self, name: str) -> Step:
        made = self[name] = Step(self._tree, self._branch.twig(name), "." not in self._branch.path)
        return made


def together(step: Step, before: Any, after: Any, beside: Beside) -> bool:
    """Go through what became of a value side by side, as long as only leaves differ; False where anything else does."""
    if type(before) is list:
        if type(after) is not list or len(before) != len(after):
            return False
        for one, other in zip(before, after, strict=True):
            if type(one) is list or not together(step, one, other, beside):
                return False
        return True
    if type(before) is dict:
        return type(after) is dict and before.keys() == after.keys() and _members_together(step, before, after, beside)
    if not step.is_leaf or before is None or after is None or type(after) in (list, dict):
        return False
    found = beside.get(step.path)
    if found is None:
        found = beside[step.path] = step.is_text, [], []
    found[1].append(before)
    found[2].append(after)
    return True


def _members_together(step: Step, before: dict[str, Any], after: dict[str, Any], beside: Beside) -> bool:
    steps = step.below
    if step.is_extension:
        if before.get("url") != after.get("url"):
            return False
        steps = step.extension(before.get("url"))
    if steps is None:
        return False
    for name, one in before.items():
        is_url = name == "url" and step.is_extension  # which is in the path
        if not is_url and not together(steps[name], one, after[name], beside):
            return False
    return True


#: Objects that tell an identifier by themselves, and names under which one may stand in any object.
_TELLING = ("Identifier", "ContactPoint", "Resource")
_ANYWHERE = ("identifier", "extension", "modifierExtension", "contained")


@functools.cache
def _told_under(content: str) -> re.Pattern[bytes] | None:
    """What finds, in the text of an object of that content, a name under which an identifier may stand; None where the object
    is one.
    """
    if content in _TELLING or content == "Extension":
        return None
    names = sorted({*_ANYWHERE, *_names(content, frozenset())})
    return re.compile(rb'"(?:%s)"' % "|".join(names).encode())


def _names(content: str, above: frozenset[str]) -> Iterator[str]:
    if content in above or content in ("Extension", "Reference"):
        return
    for name, child in children(content).items():
        if child.content in _TELLING or ELEMENTS.get(child.path) in TOLD:
            yield name
        elif child.content is not None:
            yield from _names(child.content, above | {content})


def is_text(twig: Twig) -> bool:
    """Whether values there are texts that somebody wrote."""
    return twig.element is not None and twig.element.type not in _NO_TEXT
