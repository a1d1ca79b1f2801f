"""The second opinion: what a run wrote is held against what it read, by code that masks nothing.

It shares no code with what it judges: it reads source and output with JSON readers of its own, and takes from the policy
no more than a list of paths, as data. Nothing here knows Spark; `masking.spark.verify` carries it out.
"""
