"""What a document tells of the types of its own resources: whether a `urn:uuid:…` or `#…` leads to a Patient.

Neither says what it points at. A Bundle's entries and contained resources do, and what they say is looked up here by
the keys that `masking.document.subjects` makes of references. All resources of the document count, also those that
the policy refuses.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from masking.document.strings import Part, plain
from masking.document.subjects import contained_key, id_key
from masking.document.surroundings import text_of
from masking.document.tape import ARRAY, ESCAPED, STRING, Tape, name_hash
from masking.native import Of, compiled

_RESOURCE_TYPE, _CONTAINED = name_hash("resourceType"), name_hash("contained")
_ID, _FULL_URL = name_hash("id"), name_hash("fullUrl")
#: The rows of a resource's type, its id, the fullUrl beside it, and the id of the outermost resource that contains it;
#: -1 where there is none.
RESOURCE = np.dtype(
    [("type", np.int32), ("id", np.int32), ("full_url", np.int32), ("root", np.int32), ("inside", np.int32)]
)
Resources: TypeAlias = Annotated[Any, Of(RESOURCE)]


@compiled
def _container(tape: Tape, row: int) -> int:
    """The row of the object that contains a resource; -1 where it is not contained."""
    at = row
    if tape[at].parent >= 0 and tape[tape[at].parent].kind == ARRAY:
        at = int(tape[at].parent)
    return int(tape[at].parent) if tape[at].name == _CONTAINED else -1


@compiled
def find_resources(tape: Tape, top: int, found: Resources) -> int:
    """The resources of the document whose first row is `top`; how many, of which there may be more than there is room for."""
    count = 0
    for row in range(top + 1, int(tape[top].after)):
        if tape[row].name != _RESOURCE_TYPE or (tape[row].kind != STRING and tape[row].kind != ESCAPED):
            continue
        if count < len(found):
            here, resource = found[count], int(tape[row].parent)
            root = container = _container(tape, resource)
            while container >= 0:
                root = container
                container = _container(tape, root)
            beside = int(tape[resource].parent) if resource > top else -1
            here.type, here.id, here.inside = row, text_of(tape, resource, _ID), root >= 0
            here.full_url = text_of(tape, beside, _FULL_URL) if root < 0 and beside >= 0 else -1
            here.root = text_of(tape, root, _ID) if root >= 0 else -1
        count += 1
    return count


def keys_of(own: Part, url_key: Part, root: Part, *, inside: bool) -> list[bytes]:
    """The keys that lead to a resource."""
    if inside:
        return [] if own is None else [contained_key(root, b"#" + own)]
    return [key for key in (id_key(own), url_key) if key is not None]


def tell(kinds: list[Part], keys: list[list[bytes]]) -> dict[bytes, bool]:
    """Of each key that leads to a resource, whether it leads to a Patient."""
    found: dict[bytes, bool] = {}
    for kind, leading in zip(kinds, keys, strict=True):
        is_patient = kind is not None and plain(kind) == b"Patient"
        for key in leading:
            found[key] = is_patient or found.get(key, False)
    return found
