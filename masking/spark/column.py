"""What runs in workers where a masker is a pandas UDF (`masking.spark.udfs`)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from masking.errors import MaskingError
from masking.maskers.base import BoundMasker
from masking.spark.guard import where


@dataclass(frozen=True, slots=True)
class OverBatches:
    """What travels to the workers: one bound masker and the names of the context columns behind the first."""

    bound: BoundMasker = field(repr=False)
    context: tuple[str, ...]

    def run(self, *columns: pd.Series) -> pd.Series:
        """Mask one Arrow batch."""
        try:
            return self.bound(columns[0], **dict(zip(self.context, columns[1:], strict=True)))
        except Exception as error:
            # The text of it might quote a value, and Spark would log it.
            raise MaskingError(f"a masker failed on a column: {where(error)}") from None
