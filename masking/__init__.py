"""Mask FHIR exports on Spark: the same person is the same fake person in every file."""

__version__ = "0.1.0"
