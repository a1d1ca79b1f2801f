"""What a drill plants: identifiers in hiding places, and faults. Pure functions of documents; `masking.spark.drill` carries it out.

Nothing here knows how a search or a comparison works; only which values there are is told by the verifier's own list.
"""
