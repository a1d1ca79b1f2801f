"""Write `<Type>.out.json` anew for each `<Type>.in.json`: `python tests/golden/make.py`, after a change that is meant.

A changed golden is a breaking change: who masked yesterday and masks today gets values that no longer agree. Say so
in CHANGELOG.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from documents import GOLDEN, one


def main() -> None:
    """Mask every input under the tests' fixed key and the policy `realistic`."""
    for source in sorted(GOLDEN.glob("*.in.json")):
        masked = one(source.read_bytes().rstrip(b"\n"))
        target = source.with_name(source.name.replace(".in.", ".out."))
        target.write_bytes(masked + b"\n")
        print(target)


if __name__ == "__main__":
    main()
