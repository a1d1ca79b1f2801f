"""HL7's own examples of R4 (CC0), where `make examples` has put them or FHIR_R4_EXAMPLES says they are."""

from __future__ import annotations

import os
from pathlib import Path

_USUAL = Path(__file__).parents[1] / ".cache" / "examples" / "node_modules" / "hl7.fhir.r4.examples"

#: Their folder, which need not be there. A variable that is set to nothing says nothing.
EXAMPLES = Path(os.environ.get("FHIR_R4_EXAMPLES") or _USUAL)
#: What a test says that is passed over without them.
WHY_NOT = "no HL7 examples here: `make examples` brings them"
