"""The maskers: one small file a family. Importing this package fills the registry of `masking.maskers.base`."""

from masking.maskers import births, combine, dates, generic, numbers, text

__all__ = ["births", "combine", "dates", "generic", "numbers", "text"]
