"""Mask an export: `spark-submit jobs/mask.py SOURCE DESTINATION --phi-area DIR …`, as `fhir-mask run` does.

Takes the options of `fhir-mask run`; the master and Spark's own settings are spark-submit's. What AWS Glue adds to a
job's arguments is passed over.
"""

from __future__ import annotations

import sys

from masking.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]], on_platform=True))
