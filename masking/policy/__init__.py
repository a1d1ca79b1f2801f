"""Policies: YAML into frozen specs, and specs into an answer for each element of each type."""
