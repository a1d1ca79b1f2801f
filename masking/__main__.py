"""`python -m masking` is `fhir-mask`."""

import sys

from masking.cli import main

if __name__ == "__main__":
    sys.exit(main())
