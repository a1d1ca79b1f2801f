"""What remains to be known of people after masking, and what is left to be learned from the data: risk, utility, coverage.

Nothing here knows Spark, the engine or a key. What tells of people is held as hashes, or goes back to the PHI side.
"""
