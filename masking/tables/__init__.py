"""The masked export as typed tables: one a resource type, with FHIR's own names, filled from NDJSON lines. No Spark.

`schema` says which columns a type has, whatever the data holds; `shred` fills them; `keys` says whose a line is and
when it was; `parquet` writes files; `ddl` describes the tables for those who make them by hand.
"""
