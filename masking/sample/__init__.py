"""A made-up FHIR R4 export of any size, with the truth of what identifies whom in it."""

from masking.sample.documents import NO_NAMES
from masking.sample.truth import KINDS, Planted, Truth
from masking.sample.write import Progress, SampleSummary, write_sample

__all__ = ["KINDS", "NO_NAMES", "Planted", "Progress", "SampleSummary", "Truth", "write_sample"]
