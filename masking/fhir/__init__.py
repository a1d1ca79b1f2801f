"""FHIR R4 as facts: the element tables, the patient compartment, references and partial dates.

Nothing here reads a document, imports pandas or Spark, or knows a masker. The tables are generated once, at development
time, from HL7's own definitions (`masking.fhir.generate`) and committed as data.
"""
