"""Versioned tables of fake values, and the keyed choice from them.

`load` reads them lazily, once a process; `choice` draws by key; `names`, `whole_names`, `places`, `streets` and `facilities` say
which fake a source value gets. `build` makes the tables at development time.
A changed table changes outputs, so it comes with a new `POOLS_VERSION`.
"""

from __future__ import annotations

from typing import Final

#: Goes into each run's manifest: the same key and another version give other fakes.
POOLS_VERSION: Final = "2"
